"""What an app is connected to: its settings, its store, its clock. Nothing is read or opened before it is needed."""

from __future__ import annotations

import getpass
import weakref
from collections.abc import Callable
from functools import cached_property
from typing import Self

from relet.aio import Threads
from relet.clock import Clock, Ids, SystemClock
from relet.settings import Settings
from relet.store.open import open_store
from relet.store.port import Store
from relet.store.shared import SharedStore


class Connects:
    """Settings and store of an app. The store is opened at the first use, in each process anew."""

    def __init__(self, url: str | None, settings: Settings | None, clock: Clock | None, ids: Ids | None) -> None:
        self._url = url
        self._settings = settings
        if clock is not None:
            self.clock = clock
        if ids is not None:
            self.ids = ids
        self.shared = SharedStore(_opener(weakref.WeakMethod(self.open_store)))
        self.threads = Threads()
        weakref.finalize(self, _let_go, self.shared, self.threads)

    @property
    def settings(self) -> Settings:
        """All settings, read at first use. Raises SettingsError."""
        found = self._settings
        if found is None:
            found = self._settings = Settings.load(code={"url": self._url})
            self._changed(found)
        return found

    @settings.setter
    def settings(self, settings: Settings) -> None:
        """Work by these from now on. A store that is open is closed, and opened anew when it is needed."""
        self.shared.close()
        self._settings = settings
        self._changed(settings)

    def _changed(self, settings: Settings) -> None:
        """Settings were read, or replaced."""

    @property
    def url(self) -> str:
        """Where the store is, with its secrets."""
        return self.settings.url

    def open_store(self) -> Store:
        """A new connection to the store, for the caller alone: one thread of a worker, say."""
        return open_store(self.settings.url, self.clock)

    def open(self) -> Self:
        """Open the store now and not at the first use. A SQLite file is made, PostgreSQL is checked. Raises StoreError."""
        with self.shared.use():
            return self

    def close(self) -> None:
        """Release the store and the threads. The next use opens them again."""
        self.shared.close()
        self.threads.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_error: object) -> None:
        self.close()

    @cached_property
    def clock(self) -> Clock:
        """The clock of this app: the system's, unless a test gave another."""
        return SystemClock()

    @cached_property
    def ids(self) -> Ids:
        """Makes job ids."""
        return Ids(self.clock)

    @property
    def patience(self) -> Clock:
        """What waits are measured by: they take real time, also where the store's clock is a manual one."""
        return self._real_clock

    @cached_property
    def _real_clock(self) -> Clock:
        return SystemClock()

    def who(self, by: str) -> str:
        """The name under which a person acts: the given one, or that of the process's user."""
        return by or self._user

    @cached_property
    def _user(self) -> str:
        try:
            return getpass.getuser()
        except (KeyError, OSError, ImportError):
            return "unknown"


def _opener(method: weakref.WeakMethod[Callable[[], Store]]) -> Callable[[], Store]:
    """Opens the store of an app without keeping the app alive."""

    def open_store() -> Store:
        found = method()
        assert found is not None, "only the app itself uses its shared store, so while that is used, the app is there"
        return found()

    return open_store


def _let_go(shared: SharedStore, threads: Threads) -> None:
    """An app that nobody closed. A thread that is still at it must not keep the process from ending."""
    shared.close(patience=1.0)
    threads.close(wait=False)
