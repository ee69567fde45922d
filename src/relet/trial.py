"""Running one call here and now, for unit tests: through the codec, with a context that keeps what it is told. No store."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, NoReturn, TypeVar

from relet.clock import SECOND, Clock, Ids
from relet.context import Context, enter
from relet.errors import UsageError, Verdict
from relet.facts import Facts, ParentResult
from relet.handles import Progress
from relet.job.codec import Codec
from relet.prices import Prices
from relet.records import LogEntry, UsageEntry
from relet.store.records import LogLine, Note, Usage
from relet.store.records import Progress as ProgressNote

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Trial(Generic[R]):
    """What a call came to: what it returned, and what it told its context."""

    result: R
    progress: tuple[Progress, ...]
    logs: tuple[LogEntry, ...]
    usage: tuple[UsageEntry, ...]

    def spent(self, kind: str) -> Decimal:
        """The sum of what it reported as used of this kind."""
        return sum((entry.amount for entry in self.usage if entry.kind == kind), Decimal(0))


class Kept:
    """A line that leads nowhere: it keeps what a context says. The lease never ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.notes: list[Note] = []

    def now(self) -> int:
        return self._clock.now()

    def note(self, note: Note) -> None:
        self.notes.append(note)

    def asked(self) -> str | None:
        return None

    def stopping(self) -> str | None:
        return None

    def lost(self) -> bool:
        return False

    def lease_left_us(self) -> int:
        return 90 * SECOND

    def on_lost(self, callback: Callable[[], object]) -> None:
        """It never is."""

    def begin_effects(self) -> NoReturn:
        raise UsageError(
            "ctx.transaction() needs a store, and this call runs without one. Test it with relet.testing, which runs jobs."
        )

    def parents(self) -> list[ParentResult]:
        return []

    def drop_effects(self, error: BaseException) -> None:
        """There are none."""


class Detached:
    """A context without a job: for a task's function that is called directly."""

    def __init__(self, task: str, clock: Clock, ids: Ids, prices: Prices) -> None:
        self.line = Kept(clock)
        self.context = Context(Facts(ids.job(), 1, task, worker="none", prices=prices), self.line)


def run_detached(
    fn: Callable[..., Any], takes_context: bool, codec: Codec, encoded: str, detached: Detached
) -> Trial[Any]:
    """Decode, call, await what has to be awaited, and send the result through the codec, too."""
    args, kwargs = codec.decode_args(encoded)
    given = (detached.context, *args) if takes_context else args

    def call() -> Any:
        enter(detached)
        returned = fn(*given, **kwargs)
        return _awaited(returned) if inspect.isawaitable(returned) else returned

    returned = contextvars.copy_context().run(call)
    if isinstance(returned, Verdict):
        raise returned
    notes = detached.line.notes
    return Trial(
        codec.decode_result(codec.encode_result(returned)),
        tuple(Progress(note.percent, note.message) for note in notes if isinstance(note, ProgressNote)),
        tuple(LogEntry.of(note) for note in notes if isinstance(note, LogLine)),
        tuple(UsageEntry.of(note) for note in notes if isinstance(note, Usage)),
    )


def _awaited(returned: Any) -> Any:
    """On an event loop of its own; in a thread of its own where one runs already."""

    async def wait() -> Any:
        return await returned

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(wait())
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(context.run, asyncio.run, wait()).result()
