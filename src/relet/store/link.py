"""A link: one connection of one engine that runs named statements. Everything above it is the same for every engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]
Params = Mapping[str, Any]


class Tx(Protocol):
    """An open transaction. Statements are named; parameters are bound by name.

    Ids are 16 raw bytes on both ways, times integers, JSON is text. `relet.now_us()`, `relet.lease_clock()` and
    `relet.boot()` inside a statement are the store's clocks.
    """

    def all(self, name: str, **params: Any) -> list[Row]:
        """Run one statement and fetch its rows."""
        ...

    def run(self, name: str, **params: Any) -> int:
        """Run one statement; returns the number of rows it wrote."""
        ...

    def many(self, name: str, rows: Sequence[Params]) -> list[int]:
        """Run one statement once per row, in order; returns how many rows each wrote. One round trip where the engine can."""
        ...

    def each(self, name: str, rows: Sequence[Params]) -> list[Row]:
        """Run one statement once per row, in order, and fetch what they all give. One round trip where the engine can."""
        ...

    @property
    def connection(self) -> Any:
        """The engine's own connection, in this transaction."""
        ...


class Link(Protocol):
    """One connection. Engine errors leave it as a StoreError that says what they mean for the data, never bare."""

    url: str

    def write(self) -> AbstractContextManager[Tx]:
        """A write transaction: commits at the end of the block, rolls back when the block raises.

        A lost connection before the commit was sent is StoreUnavailable (nothing was written), after it OutcomeUnknown.
        Conflicts that the engine asks to repeat (busy, deadlock, serialization) surface as `Contended`."""
        ...

    def read(self) -> AbstractContextManager[Tx]:
        """A read-only transaction: one snapshot."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...
