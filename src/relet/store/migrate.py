"""The schema is the sum of its forward steps: `steps/NNNN_name.ENGINE.sql`.

Each step runs once, in one transaction, and says from which version of the code on a writer understands what it leaves
(its floor). Steps expand first and contract a release later, so that the old and the new code run side by side over one step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from relet.errors import SchemaMismatch

FLOORS = {1: 1, 2: 1, 3: 3, 4: 4, 5: 5, 6: 5, 7: 7, 8: 7, 9: 9, 10: 9, 11: 9}
"""For each step, the oldest schema version that a writer must know to write beside it."""


class Step(NamedTuple):
    """One forward step of one engine."""

    version: int
    name: str
    text: str

    @property
    def floor(self) -> int:
        """Code that knows less than this version must not write any more."""
        return FLOORS[self.version]


@cache
def steps(engine: str) -> tuple[Step, ...]:
    """All steps of an engine, in order."""
    found: list[Step] = []
    for file in files("relet.store").joinpath("steps").iterdir():
        number, _, rest = file.name.partition("_")
        name, _, suffix = rest.partition(".")
        if suffix == f"{engine}.sql":
            found.append(Step(int(number), name, file.read_text()))
    return tuple(sorted(found))


def newest(engine: str) -> int:
    """The schema version that this code brings."""
    return steps(engine)[-1].version


def pending(engine: str, version: int) -> list[Step]:
    """The steps that a schema of this version lacks."""
    return [step for step in steps(engine) if step.version > version]


def check(engine: str, version: int, floor: int, url: str) -> None:
    """Refuse a schema that this code must not write to: too old, or made by later code that we do not understand."""
    mine = newest(engine)
    if version < mine:
        raise SchemaMismatch(
            f"Store {url} has schema version {version}; this version of Relet needs {mine}. Nothing was written. "
            "Bring it up to date with: relet migrate"
        )
    if floor > mine:
        raise SchemaMismatch(
            f"Store {url} has schema version {version}, which needs code that knows version {floor} or later; this one "
            f"knows {mine}. Nothing was written. Install the newer Relet here."
        )


Report = Callable[[Step], None]
"""Told of each step when it is done."""
