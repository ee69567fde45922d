"""asyncpg: a connection, or the proxy that a pool lends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from relet.errors import UsageError
from relet.store.foreign.connection import ADVICE, Engine
from relet.store.link import Params
from relet.store.statements import parameters, rename


@cache
def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    names = tuple(parameters(sql))
    places = {name: f"${place}" for place, name in enumerate(names, 1)}
    return rename(sql, places.__getitem__), names


class AsyncpgConnection:
    """Commits each statement on its own unless a transaction is open."""

    engine: Engine = "postgres"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def check(self) -> None:
        if not self._connection.is_in_transaction():
            raise UsageError(
                "The asyncpg connection given as tx has no open transaction, so nothing would be rolled back. "
                f"Use: async with connection.transaction(). {ADVICE}"
            )

    async def execute(self, sql: str, params: Params) -> Iterable[Iterable[Any]]:
        text, names = _numbered(sql)
        if not names:
            await self._connection.execute(text)
            return []
        return await self._connection.fetch(text, *[params[name] for name in names])

    async def execute_each(self, sql: str, rows: Sequence[Params]) -> None:
        text, names = _numbered(sql)
        await self._connection.executemany(text, [[row[name] for name in names] for row in rows])
