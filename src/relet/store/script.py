"""Scripts: what is to be run in a transaction, without I/O, so that it holds for the store's own connection and a caller's."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from relet.store.link import Row


class Step(NamedTuple):
    """One named statement, once per row of parameters; `fetch` asks for its rows (of all parameter rows)."""

    name: str
    rows: Sequence[Mapping[str, Any]]
    fetch: bool = False


T = TypeVar("T")
Steps = Generator[Step, list[Row], T]
