"""Circuit breakers through the app: around calls, and steered by name.

with app.breaker("stripe"):                       # in a task or anywhere else
    stripe.charge(…)

app.breakers["stripe"].status()                   # and "task:shop.charge", "queue:billing"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec

from relet.aio import Threads
from relet.breaker_calls import PASSES, Beside, Caller, Calls
from relet.errors import NotFound, UsageError
from relet.job.breaker import QUEUE, TASK, State, task_breaker
from relet.job.duration import Duration
from relet.job.moment import ends_at, from_at, from_at_or_none
from relet.steered import Steered
from relet.store.open import open_store
from relet.store.port import Store
from relet.store.rows import BreakerRow
from relet.task import Task


class Guarded(Caller, Steered, Protocol):
    """What breakers need of their app."""

    @property
    def threads(self) -> Threads: ...


class BreakerStatus(msgspec.Struct, frozen=True):
    """A circuit breaker as it stood when it was read."""

    name: str
    state: State
    """closed, open, or half-open: probes may pass."""
    rule: str
    """In words."""
    failures: int
    """In a row, up to now."""
    trips: int
    """How often it has opened by itself."""
    opened_at: datetime | None
    probe_at: datetime | None
    """From when on probes may pass; None: it is closed, or open until a person closes it."""
    probes_out: int
    because: str
    """Why it is open."""
    last_error: str
    changed_by: str
    """Who opened or closed it last; "relet" if it did so by itself."""
    changed_at: datetime

    @classmethod
    def of(cls, row: BreakerRow, now: int) -> BreakerStatus:
        """The record of a row."""
        status = row.status
        return cls(
            name=row.name,
            state=status.state(now),
            rule=str(row.rule),
            failures=status.failures,
            trips=status.trips,
            opened_at=from_at_or_none(status.opened_at),
            probe_at=from_at_or_none(status.probe_at),
            probes_out=row.out,
            because=status.because,
            last_error=status.error,
            changed_by=row.changed_by,
            changed_at=from_at(row.changed_at),
        )


class Circuit:
    """One circuit breaker by name."""

    def __init__(self, app: Guarded, name: str, calls: Callable[[str], Calls]) -> None:
        self._app = app
        self.name = name
        self._calls_of = calls

    # ── around a call ─────────────────────────────────────────────────────────────────────────────────────────────
    def __enter__(self) -> Self:
        self._check()
        return self._passed(self._calls.enter())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        passes = PASSES.get()
        PASSES.set(passes[:-1])
        self._calls.left(passes[-1] if passes else None, error)

    async def __aenter__(self) -> Self:
        self._check()
        token = self._calls.enter() if self._calls.at_hand else await self._app.threads.run(self._calls.enter)
        return self._passed(token)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, at)

    def _passed(self, token: bytes | None) -> Self:
        PASSES.set((*PASSES.get(), token))
        return self

    @property
    def _calls(self) -> Calls:
        return self._calls_of(self.name)

    def _check(self) -> None:
        if self.name.startswith((TASK, QUEUE)):
            raise UsageError(f"Breaker {self.name!r} guards jobs: it cannot be put around a call.")

    # ── steering ──────────────────────────────────────────────────────────────────────────────────────────────────
    def status(self) -> BreakerStatus:
        """How it stands. Raises NotFound."""
        with self._app.shared.use() as store:
            self._known(store)
            row = store.insights.breaker(self.name)
            assert row is not None, "a breaker is never removed"
            return BreakerStatus.of(row, store.now())

    def open(self, reason: str = "", *, until: datetime | Duration | None = None, by: str = "") -> None:
        """Let nothing pass until a person closes it; with `until`, until then, when probes may try.

        `until` is a moment, a duration from now on, or an HTTP date as in a Retry-After header.

        What runs goes on. It holds in all workers within about a second. Raises NotFound."""
        with self._app.shared.use() as store:
            self._known(store)
            at = None if until is None else ends_at(until, store.now(), name="until")
            store.open_breaker(self.name, self._app.who(by), reason, at)
        self._calls.look()

    def close(self, *, by: str = "") -> None:
        """Let everything pass again, with nothing counted. Raises NotFound."""
        self._close(by, forget=False)

    def reset(self, *, by: str = "") -> None:
        """As new: closed, and how often it has opened, and why, is forgotten. Raises NotFound."""
        self._close(by, forget=True)

    def _close(self, by: str, *, forget: bool) -> None:
        with self._app.shared.use() as store:
            self._known(store)
            store.close_breaker(self.name, self._app.who(by), forget=forget)
        self._calls.look()

    def _known(self, store: Store) -> None:
        """See to it that it is in the store, with what was left to tell. Raises NotFound."""
        self._calls.flush()
        if store.insights.breaker(self.name) is not None:
            return
        declared = self._app.breakers_of_code.get(self.name)
        if declared is None:
            raise NotFound(f"There is no breaker {self.name!r} in the store, nor in the code of this app.")
        store.declare_breakers({self.name: declared.rule}, self._app.who(""))

    def __repr__(self) -> str:
        return f"<Circuit {self.name}>"


class Breakers:
    """`app.breakers`: by name, or all of them."""

    def __init__(self, app: Guarded) -> None:
        self._app = app
        self._calls: dict[tuple[str, str], Calls] = {}
        self._besides: dict[str, Beside] = {}

    def __getitem__(self, name: str | Task[..., Any]) -> Circuit:
        """The handle of a breaker: "stripe", "task:shop.charge" or the task itself, "queue:billing". Reads nothing yet."""
        return Circuit(self._app, task_breaker(name.name) if isinstance(name, Task) else name, self._calls_through)

    def _calls_through(self, name: str) -> Calls:
        """What is known here of a breaker; a store of its own has its own."""
        url = self._app.settings.url
        return self._calls.get((url, name)) or self._calls.setdefault(
            (url, name), Calls(self._app, name, self._beside(url))
        )

    def _beside(self, url: str) -> Beside:
        found = self._besides.get(url)
        return found or self._besides.setdefault(url, Beside(partial(open_store, url, self._app.clock)))

    def list(self) -> list[BreakerStatus]:
        """All breakers that the store knows, by name."""
        with self._app.shared.use() as store:
            now = store.now()
            return [BreakerStatus.of(row, now) for row in store.insights.breakers()]

    def flush(self) -> None:
        """Until what calls in this process have come to is told: that happens beside them, mostly within milliseconds."""
        for calls in tuple(self._calls.values()):
            calls.flush()

    def __iter__(self) -> Iterator[Circuit]:
        return (self[status.name] for status in self.list())
