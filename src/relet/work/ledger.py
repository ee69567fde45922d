"""What the runs of this worker say that they consume, until they end: said then, with the total of this worker. Called from any
thread. The store has its own sums, of all workers and for good."""

from __future__ import annotations

from threading import Lock
from uuid import UUID

from relet.events import Emitter
from relet.job.costs import decimal_of, total_of, unit_of
from relet.job.job import Claim, ClaimKey
from relet.job.money import Sums
from relet.store.records import Usage


class Ledger:
    """Sums in steps of 10^-12, by unit."""

    def __init__(self, emit: Emitter) -> None:
        self._emit = emit
        self._lock = Lock()
        self.open: dict[ClaimKey, dict[str, int]] = {}
        """Of runs that have not ended."""
        self._total: dict[str, int] = {}
        self._runs = 0

    def add(self, entry: Usage) -> None:
        """A run has consumed this."""
        amount = total_of(entry.amount)
        if amount is None:
            return
        with self._lock:
            _add(self.open.setdefault((entry.job_id, entry.epoch), {}), unit_of(entry.kind, entry.unit), amount)

    def close(self, claim: Claim) -> None:
        """It has ended, however: what it consumed is said. A pass of a continuous run is an end, too."""
        with self._lock:
            spent = self.open.pop((claim.job_id, claim.epoch), None)
            if spent is None:
                return
            for unit, amount in spent.items():
                _add(self._total, unit, amount)
            self._runs += 1
            runs, total = self._runs, _sums(self._total)
        self._emit(
            "job.spent", job=str(UUID(bytes=claim.job_id)), task=claim.task, epoch=claim.epoch, spent=_sums(spent)
        )
        self._emit("worker.spent", runs=f"{runs:,} run{'s' * (runs != 1)}", spent=total)


def _add(sums: dict[str, int], unit: str, amount: int) -> None:
    sums[unit] = sums.get(unit, 0) + amount


def _sums(totals: dict[str, int]) -> Sums:
    return Sums({unit: decimal_of(total) for unit, total in totals.items()})
