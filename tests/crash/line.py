"""A proxy before a PostgreSQL that a verb goes through, and what it has left behind there."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg

from relet.store.open import open_store
from relet.store.port import Store
from tests.crash.acts import Act, Stage
from tests.support.proxy import BACKEND, FRONTEND, PostgresProxy
from tests.support.waiting import until

Shape = list[tuple[Any, ...]]
Make = Callable[[Stage], Act]

_POINTERS = {
    "scheduled": "p.epoch, p.attempt, p.releases, case when p.run_at > relet.now_us() + 400000000 then 'late' else 'soon' end",
    "ready": "p.epoch, p.attempt, p.releases, p.crashes || '/' || p.suspicions",
    "running": "p.epoch, p.attempt, p.releases, coalesce(p.message, '')",
    "dead": "p.epoch, p.attempt, p.resolved::int, p.reason",
    "finished": "p.epoch, p.attempt, 0, p.outcome || coalesce(p.result, '')",
}
_SHAPE = " union all ".join(
    [
        f"select a.n, '{table}', {columns} from asked a join relet.{table} p on p.job_id = a.id"
        for table, columns in _POINTERS.items()
    ]
    + [
        f"select a.n, '{table}', count(*), 0, 0, '' from asked a join {table} p on p.job_id = a.id group by a.n"
        for table in ("relet.attempt", "relet.log_line", "relet.usage", "relet.unique_key", "relet.control", "effect")
    ]
)
_SHAPE = f"with asked as (select id, n from unnest(%s::uuid[]) with ordinality as x (id, n)) {_SHAPE} order by 1, 2"
"""Where each job is, what is counted of it, and what it has left; no times, no ids."""

_CUTS = ((FRONTEND, (b"E", b"S", b"Q"), "after"), (BACKEND, (b"C", b"Z"), "before"))
"""Where it makes a difference: a statement was asked for, its transaction was; it is done, its transaction is."""

_ALL_OF_THE_LAST = 10
"""Further from the commit than so many cuts, one in three is tried."""


class Line:
    """A stage, a proxy before its server, and a look at the rows."""

    def __init__(self, url: str, proxy: PostgresProxy) -> None:
        self.raw = psycopg.connect(url, autocommit=True)
        self.raw.execute("create table effect (job_id uuid)")
        self.proxy = proxy
        self.url = f"{proxy.url}?application_name=cut"
        self.store = open_store(url)
        self.stage = Stage(self.store, self.raw)

    def close(self) -> None:
        self.store.close()
        self.raw.close()

    def shape(self, act: Act) -> Shape:
        """What the rows say of the jobs of an act."""
        return self.raw.execute(_SHAPE.encode(), ([UUID(bytes=job_id) for job_id in act.jobs],)).fetchall()

    def opened(self, make: Make, warm: bool) -> Store:
        """A store behind the proxy; a warm one has made such a call before."""
        store = open_store(self.url)
        if warm:
            make(self.stage).call(store)
        return store

    def undisturbed(self, make: Make, *, warm: bool) -> tuple[list[tuple[Any, bytes, int, str]], Shape]:
        """Every place at which the call can be cut, and where it leads when it is not."""
        store, act = self.opened(make, warm), make(self.stage)
        self.proxy.forget()
        act.call(store)
        cuts = [
            (side, kind, nth, when)
            for side, kinds, when in _CUTS
            for kind in kinds
            for nth in _thinned(self.proxy.kinds(side).count(kind))
        ]
        store.close()
        self.all_gone()
        return cuts, self.shape(act)

    def all_gone(self) -> None:
        """Wait until the server has done with connections that came through the proxy."""
        sql = b"select 1 from pg_stat_activity where application_name = 'cut'"
        until(lambda: not self.raw.execute(sql).fetchall())


def _thinned(count: int) -> list[int]:
    return [nth for nth in range(1, count + 1) if count - nth < _ALL_OF_THE_LAST // 2 or nth % 3 == 1]
