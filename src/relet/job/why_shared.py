"""Where a job stands among the tenants of its queue, in words. Pure."""

from __future__ import annotations

from typing import NamedTuple

from relet.job.textsafe import one_line


class Share(NamedTuple):
    """A job's place among the tenants of its queue."""

    tenant: str
    weight: int
    ahead: int
    """Ready jobs of its own tenant before it."""


def among_tenants(share: Share | None) -> str:
    """The end of a sentence that says how many jobs are before it; "" where there are no tenants."""
    if share is None:
        return ""
    tenant = f"tenant {one_line(share.tenant)}" if share.tenant else "the jobs that name no tenant"
    weight = f" (weight {share.weight})" if share.weight != 1 else ""
    own = (
        "none of them is"
        if share.ahead == 0
        else "1 of them is"
        if share.ahead == 1
        else f"{share.ahead:,} of them are"
    )
    return f", which tenants share; {own} of {tenant}, like it{weight}"
