"""What a routine says that runs all the time: checked where it is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relet.errors import UsageError
from relet.job.duration import to_us

IDLE = "1s"
"""Between two passes, unless the routine says otherwise."""

_OF_IT = frozenset({"idle", "replicas", "standby"})
_AGAINST_IT = ("every", "cron", "tz", "catchup", "jitter", "overlap", "depends_on", "deadline", "cpu")


def idle_us(given: Mapping[str, Any]) -> int | None:
    """The pause between two passes of a routine with these options; None: it is not continuous. Raises UsageError for options
    that do not go together."""
    if not given.get("continuous"):
        if strange := sorted(_OF_IT & given.keys()):
            raise UsageError(f"{', '.join(strange)} is for a routine with continuous=True, and this one is not.")
        return None
    if against := [name for name in _AGAINST_IT if name in given]:
        raise UsageError(
            f"{', '.join(against)}: a continuous routine runs all the time, so this says nothing of it. Leave it out, or let it "
            "run by every= or cron= instead."
        )
    if given.get("standby", 0) < 0:
        raise UsageError(f"standby={given['standby']} is below 0.")
    return to_us(given.get("idle", IDLE), name="idle")
