"""Reading, over any link: what people see of jobs, dead letters, queues, workers, and of the store itself."""

from __future__ import annotations

from typing import Any

from relet.job.why import Standing
from relet.job.why_schedule import ScheduleStanding
from relet.store.bonds import BondReading
from relet.store.breakers import BreakerReading
from relet.store.budgets import BudgetReading
from relet.store.costs import CostReading
from relet.store.dead import DeadReading
from relet.store.figures import FigureReading
from relet.store.gate_reading import GateReading
from relet.store.health import HealthReading
from relet.store.link import Link, Tx
from relet.store.listing import JobReading
from relet.store.queues import QueueReading, count_states, oldest_ready
from relet.store.rows import SessionRow
from relet.store.schedule_reading import ScheduleReading
from relet.store.schedule_standing import schedule_standing
from relet.store.standing import session_rows, standing
from relet.store.webhooks import WebhookReading


class RelationalInsights(
    JobReading,
    DeadReading,
    QueueReading,
    BondReading,
    ScheduleReading,
    GateReading,
    BreakerReading,
    FigureReading,
    HealthReading,
    CostReading,
    BudgetReading,
    WebhookReading,
):
    """See `relet.store.port.Insights` for what each verb promises."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def sessions(self, ended_within_us: int = 0) -> list[SessionRow]:
        with self._link.read() as tx:
            return session_rows(tx, ended_within_us)

    def why(self, job_id: bytes) -> Standing | None:
        with self._link.read() as tx:
            return standing(tx, job_id)

    def why_schedule(self, schedule: str) -> ScheduleStanding | None:
        with self._link.read() as tx:
            return schedule_standing(tx, schedule)

    def schema(self) -> tuple[int, int]:
        with self._link.read() as tx:
            return _schema(tx)

    def health(self, cap: int = 100_000) -> dict[str, Any]:
        with self._link.read() as tx:
            facts = _health(tx, cap)
        return facts | self.engine_facts()

    def engine_facts(self) -> dict[str, Any]:
        """What only the engine knows: its name and version, durability, sizes, clock, pooler. Engines have their own way."""
        return {}


def _schema(tx: Tx) -> tuple[int, int]:
    version, floor = tx.all("health_schema")[0]
    return int(version or 0), int(floor or 0)


def _health(tx: Tx, cap: int) -> dict[str, Any]:
    names = (
        "now",
        "next_due_at",
        "dead_unresolved",
        "dead_oldest_at",
        "sessions_live",
        "sessions_lapsed",
        "claims_expired",
        "queues_paused",
        "queues_closed",
    )
    facts: dict[str, Any] = dict(zip(names, tx.all("health_facts", cap=cap)[0], strict=True))
    facts["schema_version"], facts["schema_floor"] = _schema(tx)
    facts |= {str(state): count for state, count in count_states(tx, cap).items()}
    return facts | {"capped_at": cap, "oldest_ready_at": oldest_ready(tx)}
