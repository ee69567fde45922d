"""Who is measured, and in which configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Runtime = Literal["relet", "python", "node"]
Store = Literal["postgresql", "sqlite"]


@dataclass(frozen=True)
class Side:
    """One of the compared.

    `unfinished` is SQL that says whether its store still has jobs to run or to settle. `consumer` is its own command for a
    worker, where it has one that must be used; `packages` are those whose versions matter.
    """

    name: str
    title: str
    runtime: Runtime
    store: Store
    adapter: str
    unfinished: str
    configuration: str
    packages: tuple[str, ...] = ()
    consumer: tuple[str, ...] = ()

    @property
    def against(self) -> str:
        """The side of Relet's that it is compared with."""
        return f"relet-{self.store}"


SIDES = (
    Side(
        "relet-postgresql",
        "Relet, PostgreSQL",
        "relet",
        "postgresql",
        "with_relet",
        "select exists (select from relet.ready) or exists (select from relet.running)",
        "`slots=1000`, `turn_size=500`",
        ("relet", "psycopg", "uvloop"),
    ),
    Side(
        "pgqueuer",
        "PGQueuer",
        "python",
        "postgresql",
        "with_pgqueuer",
        "select exists (select from pgqueuer)",
        "asyncpg, `batch_size=500`, `pgq autovac` applied, uvloop",
        ("pgqueuer", "asyncpg", "uvloop"),
    ),
    Side(
        "procrastinate",
        "Procrastinate",
        "python",
        "postgresql",
        "with_procrastinate",
        "select exists (select from procrastinate_jobs where status in ('todo', 'doing'))",
        "psycopg (binary), `concurrency=20`, a pool of 21 connections",
        ("procrastinate", "psycopg"),
    ),
    Side(
        "graphile-worker",
        "Graphile Worker",
        "node",
        "postgresql",
        "with_graphile",
        "select exists (select from graphile_worker._private_jobs)",
        "`concurrentJobs: 24`, `maxPoolSize: 25`, `localQueue: { size: 500 }`, `completeJobBatchDelay: 0`",
        ("graphile-worker", "pg"),
    ),
    Side(
        "pg-boss",
        "pg-boss",
        "node",
        "postgresql",
        "with_pgboss",
        "select exists (select from pgboss.job where state < 'completed')",
        "`batchSize: 500`, `localConcurrency: 2`, `burstWhenBatchFull`, `notify` and `useListenNotify`",
        ("pg-boss", "pg"),
    ),
    Side(
        "relet-sqlite",
        "Relet, SQLite",
        "relet",
        "sqlite",
        "with_relet",
        "select exists (select 1 from relet_ready) or exists (select 1 from relet_running)",
        "`slots=1000`, `turn_size=500`, full sync (default)",
        ("relet", "apsw", "uvloop"),
    ),
    Side(
        "huey",
        "Huey, SQLite",
        "python",
        "sqlite",
        "with_huey",
        "select exists (select 1 from task)",
        "`SqliteHuey(fsync=True)`, WAL (default), `huey_consumer -w 1 -k thread`",
        ("huey",),
        ("huey_consumer", "with_huey.huey", "-w", "1", "-k", "thread", "-q"),
    ),
)
PEERS = tuple(side.name for side in SIDES if side.runtime != "relet")


def chosen(names: list[str]) -> list[Side]:
    """These peers, with the sides of Relet's that they are compared with. Raises ValueError for an unknown name."""
    unknown = sorted(set(names) - set(PEERS))
    if unknown:
        raise ValueError(f"no such peer: {', '.join(unknown)} (there are {', '.join(PEERS)})")
    needed = {side.against for side in SIDES if side.name in names}
    return [side for side in SIDES if side.name in needed | set(names)]
