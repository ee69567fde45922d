"""Worker processes, by host, and what they hold."""

from __future__ import annotations

from itertools import groupby

from relet.shapes.schema import LeaseOut, WorkerOut
from relet.web.pages.leases import bars
from relet.web.pages.page import Facts, Look, Page

LEASES = 100
ENDED_WITHIN = "1h"


def gather(look: Look) -> Facts:
    """Its facts."""
    workers: list[WorkerOut] = look.read("workers.list", ended_within=ENDED_WITHIN)["workers"]
    leases: list[LeaseOut] = look.read("leases.list", limit=LEASES)["leases"] if look.may("leases.list") else []
    now = look.read("status.show")["now"] if leases else ""
    by_host = sorted(workers, key=lambda worker: worker["host"])
    return {
        "hosts": [(host, list(found)) for host, found in groupby(by_host, key=lambda worker: worker["host"])],
        "bars": bars(leases, workers, now),
        "lapsed": sum(worker["state"] == "lapsed" for worker in workers),
        "more": len(leases) == LEASES,
    }


PAGES = (Page("workers", "/workers", "Workers", "workers.list", gather, key="w", live=("hosts", "leases")),)
