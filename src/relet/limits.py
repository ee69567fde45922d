"""`app.limits`: limits by name and key, steered and looked at."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime

import msgspec

from relet.errors import NotFound
from relet.job.duration import Duration
from relet.job.gates import FOREVER
from relet.job.limits import limit_name, say_rates
from relet.job.moment import ends_at, from_at, from_at_or_none
from relet.kept import KEPT, Kept, rule_and_kept
from relet.steered import Steered
from relet.store.port import Store
from relet.store.rows import GateRow, LimitRow


class KeyInfo(msgspec.Struct, frozen=True):
    """One key of a limit as it stood when it was read."""

    key: str
    passed: int
    """Jobs that are ready or run, and count as running."""
    waiting: int
    """Jobs that stand in line."""
    used: tuple[int, ...]
    """Units that are used of each rate."""
    opens_at: datetime | None
    """When a pause or a rate lets the next one in, if it lets none in now."""
    paused: bool
    """By itself, or with all keys of its limit."""
    paused_until: datetime | None
    """None: not paused, or until somebody resumes it."""

    @classmethod
    def of(cls, row: GateRow, now: int) -> KeyInfo:
        """The record of a row."""
        paused = row.paused_until is not None and row.paused_until > now
        until = _moment(row.paused_until) if paused else None
        return cls(row.key, row.passed, row.waiting, row.used, _moment(row.opens_at), paused, until)


class LimitInfo(msgspec.Struct, frozen=True):
    """A limit as it stood when it was read. Counts of jobs and keys stop at 10,000: that figure means "or more"."""

    name: str
    rule: str
    """In words: "10 at once, 100/min"; empty: it limits nothing."""
    concurrency: int | None
    rate: str | None
    paused: bool
    paused_until: datetime | None
    """None: not paused, or until somebody resumes it."""
    origin: str
    """Who said so last: "code", or "person"; empty: jobs name it, and nobody has said yet what it is."""
    changed_by: str
    changed_at: datetime
    keys: int
    passed: int
    waiting: int

    @classmethod
    def of(cls, row: LimitRow, now: int) -> LimitInfo:
        """The record of a row."""
        rule = row.rule
        paused = row.paused_until is not None and row.paused_until > now
        return cls(
            row.name,
            str(rule),
            rule.concurrency,
            say_rates(rule.rates) or None,
            paused,
            _moment(row.paused_until) if paused else None,
            row.origin,
            row.changed_by,
            from_at(row.changed_at),
            row.keys,
            row.passed,
            row.waiting,
        )


class SharedLimit:
    """One limit by name: `app.limits["stripe"]`."""

    def __init__(self, app: Steered, name: str) -> None:
        self._app = app
        self.name = name

    def set(self, *, concurrency: int | Kept | None = KEPT, rate: str | Kept | None = KEPT, by: str = "") -> None:
        """Change it for all workers, from now on, whatever code says. What is not given stays as it is; None takes it away.

        It holds for whoever is let in from now on: jobs that have passed it already still start. One that nobody has declared
        is made. Raises UsageError, also for a name that cannot be."""
        rule, keep = rule_and_kept(concurrency=concurrency, rate=rate, per_worker=None)
        with self._app.shared.use() as store:
            store.set_limit(settable_name(store, self.name), rule, self._app.who(by), keep)

    def forget(self, *, by: str = "") -> bool:
        """It limits nothing, until a worker starts whose code declares it. False: it limited nothing before.
        Raises NotFound."""
        with self._known() as store:
            return store.forget_limit(self.name, self._app.who(by))

    def pause(self, key: str | None = None, *, until: datetime | Duration | None = None, by: str = "") -> None:
        """Let nobody in for this key, or for all of them, until then; what has passed goes on.

        `until` is a moment, a duration from now on, an HTTP date as in a Retry-After header, or None: until `resume`.
        Raises NotFound for a limit that nobody has declared."""
        with self._known() as store:
            at = None if until is None else ends_at(until, store.now(), name="until")
            store.pause_limit(self.name, key, at, self._app.who(by))

    def resume(self, key: str | None = None, *, by: str = "") -> bool:
        """End the pause of this key, or that of all of them together. False: it was not paused. Raises NotFound."""
        with self._known() as store:
            return store.resume_limit(self.name, key, self._app.who(by))

    def status(self) -> LimitInfo:
        """Its rule, and how many have passed and wait. Raises NotFound."""
        with self._app.shared.use() as store:
            return LimitInfo.of(self._row(store), store.now())

    def keys(self, *, after: str | None = None, limit: int = 50) -> list[KeyInfo]:
        """A page of its keys, behind `after`, by their text. Raises NotFound."""
        with self._known() as store:
            now = store.now()
            return [KeyInfo.of(row, now) for row in store.insights.limit_keys(self.name, after, limit)]

    @contextmanager
    def _known(self) -> Generator[Store]:
        """The store, which knows it."""
        with self._app.shared.use() as store:
            self._row(store)
            yield store

    def _row(self, store: Store) -> LimitRow:
        found = next((row for row in store.insights.limits() if row.name == self.name), None)
        if found is None:
            raise NotFound(f"There is no limit {self.name!r} in the store. List them with: relet limits ls")
        return found

    def __repr__(self) -> str:
        return f"<Limit {self.name}>"


class SharedLimits:
    """`app.limits`: the limits by name and key, by name, or all of them by iteration."""

    def __init__(self, app: Steered) -> None:
        self._app = app

    def __getitem__(self, name: str) -> SharedLimit:
        """The handle of a limit. Reads nothing yet."""
        return SharedLimit(self._app, name)

    def list(self) -> list[LimitInfo]:
        """All limits by name and key that the store knows, by name."""
        with self._app.shared.use() as store:
            now = store.now()
            return [LimitInfo.of(row, now) for row in store.insights.limits()]

    def __iter__(self) -> Iterator[SharedLimit]:
        return (SharedLimit(self._app, info.name) for info in self.list())


def settable_name(store: Store, name: str) -> str:
    """A name of the store, or one that could be. Raises UsageError."""
    return name if any(row.name == name for row in store.insights.limits()) else limit_name(name)


def _moment(at: int | None) -> datetime | None:
    return from_at_or_none(None if at is not None and at >= FOREVER else at)
