"""What every scene is: a database that is set again before each play, and those who play on it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any, TypeVar

import pytest

from relet.errors import Contended, NotFound, OutcomeUnknown, StoreError
from relet.store.port import Store
from tests.store.beds import Bed, PostgresBed, memory_bed
from tests.store.interleavings.stepping import Happening, Stepper, attempt, interleave
from tests.store.invariants import check_invariants

MOST_STATEMENTS = 200


class Scene(ABC):
    """The rows as `build` makes them, and three connections."""

    views: tuple[str, ...]
    """What of the rows matters: not the order in which things happened."""

    def __init__(self, bed: Bed) -> None:
        if isinstance(bed, PostgresBed):
            bed.rows(f"alter database {bed.name} set deadlock_timeout = '30ms'")
        self.bed = bed
        self.build(bed.open())
        bed.save()
        self.mine, self.theirs, self.third = bed.open(), bed.open(), bed.open()
        for store in (self.mine, self.theirs, self.third):
            store.now()

    @abstractmethod
    def build(self, store: Store) -> None:
        """Set the scene."""

    def settled(self) -> None:  # noqa: B027  most scenes need nothing
        """What is done before the rows are compared."""

    def again(self) -> None:
        """As it was at first."""
        self.bed.restore()

    def picture(self) -> frozenset[Any]:
        """All that matters of the rows, when everything is settled."""
        self.settled()
        return frozenset(row for rows in self.bed.all_rows(self.views) for row in rows)


S = TypeVar("S", bound=Scene)
Verb = Callable[[S, Store], object]


def scene_of(kind: type[S]) -> Any:
    """A fixture: this scene on a PostgreSQL database of the module's own, and on SQLite in memory."""

    @pytest.fixture(scope="module", params=["postgres", "sqlite"])
    def scene(request: pytest.FixtureRequest) -> Iterator[S]:
        if request.param == "sqlite":
            memory = memory_bed()
            yield kind(memory)
            memory.close()
        else:
            bed = PostgresBed(request.getfixturevalue("pg"))
            yield kind(bed)
            bed.drop()

    return scene


def faults(
    scene: S, stepper: Stepper, mine: tuple[str, Verb[S]], theirs: tuple[str, Verb[S]], passing: Collection[str]
) -> list[str]:
    """What goes wrong when `theirs` happens at any place of `mine`: a broken invariant, or rows as of no order.

    Of verbs that are `passing` only the invariants are asked for."""
    first, second = partial(_act, scene, mine[1]), partial(_act, scene, theirs[1])
    wanted: list[object] = []
    for acts in ((first, second), (second, first)):
        scene.again()
        for act in acts:
            act(scene.mine)
        wanted.append(scene.picture())
        check_invariants(scene.bed)
    found: list[str] = []
    for place in range(MOST_STATEMENTS):
        scene.again()
        if interleave(scene.bed, stepper, scene.mine, first, [Happening(place, scene.theirs, second)]) is None:
            return found
        name = f"{theirs[0]!r} before statement {place} of {mine[0]!r}"
        try:
            check_invariants(scene.bed)
            picture = scene.picture()
            if picture not in wanted:  # those were looked at
                check_invariants(scene.bed)
        except AssertionError as error:
            found.append(f"{name}: {error}")
        else:
            if picture not in wanted and not {mine[0], theirs[0]}.intersection(passing):
                found.append(f"{name}: rows as of no order: {picture ^ wanted[0]}")  # type: ignore[operator]
    raise AssertionError(f"{mine[0]!r} has no end")


def _act(scene: S, verb: Verb[S], store: Store) -> object:
    """A verb that is told to come again does."""
    answer = attempt(partial(verb, scene), store)
    while isinstance(answer, Contended | OutcomeUnknown):
        answer = attempt(partial(verb, scene), store)
    assert not isinstance(answer, Exception) or isinstance(answer, StoreError | NotFound), repr(answer)
    return answer
