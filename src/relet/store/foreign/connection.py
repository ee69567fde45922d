"""What a foreign connection has to be able to do. One small class per library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol

from relet.store.link import Params

Engine = Literal["sqlite", "postgres"]

ADVICE = "Begin one, or leave tx out and let the job be written on its own."


class Foreign(Protocol):
    """A connection of the caller's, in its transaction, that blocks. Its own errors are left as they are."""

    @property
    def engine(self) -> Engine:
        """What it is connected to."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether one is open already."""
        ...

    def check(self) -> None:
        """Raise UsageError unless what is written here is the transaction's to commit. Begins one that begins by itself."""
        ...

    def execute(self, sql: str, params: Params) -> Iterable[Iterable[Any]]:
        """Run one statement, with parameters written `:name`; its rows, if it has any."""
        ...

    def execute_each(self, sql: str, rows: Sequence[Params]) -> None:
        """Run one statement for each row of parameters."""
        ...


class AsyncForeign(Protocol):
    """The same for a library that is awaited."""

    @property
    def engine(self) -> Engine:
        """What it is connected to."""
        ...

    def check(self) -> None:
        """As `Foreign.check`."""
        ...

    async def execute(self, sql: str, params: Params) -> Iterable[Iterable[Any]]:
        """As `Foreign.execute`."""
        ...

    async def execute_each(self, sql: str, rows: Sequence[Params]) -> None:
        """As `Foreign.execute_each`."""
        ...
