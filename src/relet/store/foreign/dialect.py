"""Named statements, parameters and rows in the form that a foreign connection of an engine takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from relet.clock import Clock
from relet.job.job import NewBatch, NewJob
from relet.store.enqueue import Script, script
from relet.store.foreign.bulk import PARTS, bulk_script
from relet.store.link import Params, Row
from relet.store.script import Step
from relet.store.statements import for_postgres, for_sqlite, load, parameters, rename


class Dialect:
    """The statements of one engine, with parameters written `:name`."""

    def __init__(
        self,
        texts: Mapping[str, str],
        bind: Callable[[Params], Params],
        script: Callable[[Sequence[NewJob], Sequence[NewBatch]], Script],
        pack: Callable[[Step], Sequence[Params]] = lambda step: step.rows,
    ) -> None:
        self.script = script
        """Which statements an enqueue consists of."""
        self._texts = texts
        self._bind = bind
        self._pack = pack

    def prepared(self, step: Step) -> tuple[str, Sequence[Params]]:
        """The SQL of a step, and its rows of parameters."""
        return self._texts[step.name], [self._bind(row) for row in self._pack(step)]


def sqlite_dialect(clock: Clock) -> Dialect:
    """SQLite: ids are blobs, the clocks are bound."""

    def bind(params: Params) -> Params:
        return {**params, "now_us": clock.now(), "steady_us": clock.steady(), "boot": clock.boot()}

    return Dialect({name: for_sqlite(text) for name, text in load("sqlite").items()}, bind, script)


def postgres_dialect(schema: str) -> Dialect:
    """PostgreSQL: each parameter has its type written out, since drivers guess differently; ids go as text."""
    from relet.store.postgres.arrays import columns, is_packed
    from relet.store.postgres.link import type_of

    def typed(text: str) -> str:
        return rename(for_postgres(text, schema), lambda name: f"cast(:{name} as {type_of(name)})")

    def bind(params: Params) -> Params:
        return {name: _ids_as_text(value) for name, value in params.items()}

    texts = load("postgres")
    texts.update((name, "\n".join(texts[part] for part in parts)) for name, parts in PARTS.items())
    names = {name: tuple(parameters(text)) for name, text in texts.items()}

    def pack(step: Step) -> Sequence[Params]:
        wanted = names[step.name]
        return [columns(wanted, step.rows)] if step.rows and is_packed(wanted) else step.rows

    return Dialect({name: typed(text) for name, text in texts.items()}, bind, bulk_script, pack)


def _ids_as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_ids_as_text(item) for item in cast("list[Any]", value)]
    return str(UUID(bytes=value)) if isinstance(value, bytes) else value


def plain(rows: Iterable[Iterable[Any]]) -> list[Row]:
    """Rows as tuples, with ids as 16 bytes."""
    return [tuple(value.bytes if isinstance(value, UUID) else value for value in row) for row in rows]
