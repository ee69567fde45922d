"""Plays one seed, on a store of its own, and says what became of it."""

from collections.abc import Callable
from typing import Any

from relet.clock import SECOND
from relet.store.open import open_store
from relet.store.port import Store
from tests.simulation.judge import Violation
from tests.simulation.node import Node
from tests.simulation.storm import Make, Result, Storm
from tests.simulation.world import StoreClock, World
from tests.store.beds import Bed, Row

Spoil = Callable[[Store, World], Any]
"""Makes of a store one with a fault."""


class SimulatedBed(Bed):
    """A private database in memory, under the world's clock."""

    def __init__(self, world: World) -> None:
        super().__init__("sqlite:///:memory:")
        self._clock = StoreClock(world)
        self.store: Any = self.open()

    def _open(self) -> Store:
        return open_store(self.url, clock=self._clock)

    def rows(self, sql: str) -> list[Row]:
        found: list[Row] = self.store._link.driver.execute(sql.replace("relet.", "relet_"))
        return found

    def literal(self, some_id: bytes) -> str:
        return f"x'{some_id.hex()}'"

    def _wall(self) -> int:
        return self._clock.now()

    def advance(self, us: int) -> None:
        raise NotImplementedError("time is the world's")

    jump = advance


def simulate(seed: int, spoil: Spoil | None = None, make: Make = Node) -> Result:
    """Play it to its end."""
    world = World(seed)
    bed = SimulatedBed(world)
    store = bed.store if spoil is None else spoil(bed.store, world)
    storm = Storm(seed, bed, store, world, make)
    result = Result(seed, log=storm.judge.log)
    try:
        storm.play()
    except Violation as violation:
        result.violation = str(violation)
    except AssertionError as broken:
        result.violation = f"rows: {broken}"
    finally:
        bed.close()
    result.seconds, result.refused = world.now / SECOND, storm.judge.refused
    return result
