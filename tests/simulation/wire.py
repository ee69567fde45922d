"""The way to the store: slow, cut, or losing what is asked or what is answered. And the store at its end, with a witness."""

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Any

from relet.clock import MS, SECOND
from relet.errors import OutcomeUnknown, StoreError, StoreUnavailable
from relet.store.port import Store
from tests.simulation.judge import Judge
from tests.simulation.world import Process, World

DEADLINE_US = SECOND
"""How long a caller waits for an answer."""

Call = Callable[["Witnessed"], Any]


class Fate(Enum):
    """What becomes of a call."""

    GOOD = "good"
    REFUSED = "refused"
    """Not executed, and the caller knows."""
    LOST_BEFORE = "lost before"
    LOST_AFTER = "lost after"
    LATE = "late"
    """Executed after the caller has given up."""


class Witnessed:
    """The store, as one caller sees it: every verb is told to the judge as it is executed."""

    def __init__(self, store: Store, judge: Judge, process: Process, *, known_only: bool) -> None:
        self._store = store
        self._judge = judge
        self._process = process
        self._known_only = known_only

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        run = getattr(self._store, verb)

        def witnessed(*args: Any, **named: Any) -> Any:
            answer = run(*args, **named)
            if self._known_only and verb == "listen" and len(args) > 1 and args[1] is not None and answer.live:
                answer = replace(answer, held=tuple(key for key in answer.held if key in args[1]))
            self._judge.executed(self._process, verb, args, answer)
            return answer

        return witnessed


class Wire:
    """Carries calls. While it is stormy, some go wrong."""

    def __init__(self, world: World, store: Store, judge: Judge) -> None:
        self._world = world
        self._store = store
        self._judge = judge
        self.stormy = True
        self.down_until = 0
        """Until when the store itself is away."""
        self._trouble = world.rng.choice((0.0, 0.02, 0.08))
        self._known_only = world.chance(0.5)
        """A store that tells with `listen` only which of the known claims stand, as one may."""

    def call(
        self, process: Process, call: Call, answered: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Make a call. One of the two happens to the process, unless it dies first."""
        fate = self._fate(process)
        if fate is not Fate.GOOD:
            process.faulted_at = self._world.now
        if fate is Fate.REFUSED:
            error = StoreUnavailable("refused")
            self._world.after(self._world.between(MS, DEADLINE_US), lambda: failed(error), process)
            return
        if fate is Fate.LOST_BEFORE:
            self._lose(process, failed)
            return
        way = self._way()
        if fate is Fate.LATE or way >= DEADLINE_US:
            self._lose(process, failed)
            late = DEADLINE_US + self._world.between(0, 8 * SECOND)
            self._world.after(late, lambda: self._execute(process, call, late=True))
            return
        self._world.after(way, lambda: self._arrive(process, call, answered, failed, fate, way))

    def _way(self) -> int:
        slow = self.stormy and self._world.chance(self._trouble / 2)
        return self._world.between(100, DEADLINE_US if slow else 2 * MS)

    def _fate(self, process: Process) -> Fate:
        if max(process.cut_until, self.down_until) > self._world.now:
            return self._world.rng.choice((Fate.REFUSED, Fate.LOST_BEFORE))
        if self.stormy and self._world.chance(self._trouble):
            return self._world.rng.choice((Fate.REFUSED, Fate.LOST_BEFORE, Fate.LOST_AFTER, Fate.LOST_AFTER, Fate.LATE))
        return Fate.GOOD

    def _arrive(
        self,
        process: Process,
        call: Call,
        answered: Callable[[Any], None],
        failed: Callable[[Exception], None],
        fate: Fate,
        way: int,
    ) -> None:
        if self.down_until > self._world.now:
            self._lose(process, failed)
            return
        answer = self._execute(process, call)
        back = self._way()
        if isinstance(answer, Exception):
            self._world.after(back, lambda: failed(answer), process)
        elif fate is Fate.LOST_AFTER or process.cut_until > self._world.now or way + back >= DEADLINE_US:
            self._lose(process, failed)
        else:
            self._world.after(back, lambda: answered(answer), process)

    def _execute(self, process: Process, call: Call, *, late: bool = False) -> Any:
        self._judge.late = late
        try:
            return call(Witnessed(self._store, self._judge, process, known_only=self._known_only))
        except StoreError as error:
            return error

    def _lose(self, process: Process, failed: Callable[[Exception], None]) -> None:
        process.faulted_at = self._world.now
        error = OutcomeUnknown("no answer")
        self._world.after(DEADLINE_US, lambda: failed(error), process)
