"""Histories that are played on a store and on a model side by side."""

from typing import Protocol

from tests.store.beds import Bed
from tests.store.invariants import check_invariants


class History(Protocol):
    """One of them."""

    def step(self) -> str:
        """Do something that is possible now; returns what."""
        ...

    def same(self) -> None:
        """Assert that the store is as the model says."""
        ...


def play(bed: Bed, history: History, seed: int, steps: int) -> None:
    """So many steps, each judged. Whatever is wrong is told with all that led to it."""
    done: list[str] = []
    for _ in range(steps):
        done.append(history.step())
        try:
            history.same()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, after {' '.join(done)}: {error}") from None
    check_invariants(bed)
