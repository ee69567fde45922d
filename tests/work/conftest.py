"""A store, an app and workers for the tests of this folder, and a look at what they leave behind."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from relet.settings import Settings
from relet.store.port import Store
from relet.store.rows import JobRow
from relet.work.worker import Worker
from tests.support.sqlite import put_database
from tests.support.waiting import until
from tests.work import tasks


class Shop:
    """The app of `tasks` on a store of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.path = folder / "ledger"
        self.ledger = str(self.path)
        self.folder = folder
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._stack = ExitStack()
        code = {"url": url, "lease": "3s", "poll": "50ms", "cancel_grace": "300ms", "lock_dir": str(folder / "locks")}
        tasks.app.settings = Settings.load(code=code, env={}, cwd=folder)
        self.store: Store = tasks.app.open_store()

    def worker(self, **given: Any) -> Worker:
        """A worker that runs until the end of the test."""
        worker = tasks.app.worker(emit=self._emit, **given)
        worker.start()
        self._stack.callback(self._end, worker)
        return worker

    @staticmethod
    def _end(worker: Worker) -> None:
        worker.stop()
        assert worker.wait(20), "the worker did not end"

    def _emit(self, event: str, /, **fields: Any) -> None:
        self.events.append((event, fields))

    def told(self, event: str) -> list[dict[str, Any]]:
        """The facts of all events of that name."""
        return [fields for name, fields in self.events if name == event]

    def lines(self) -> list[str]:
        """What tasks wrote into the ledger."""
        return self.path.read_text().splitlines() if self.path.exists() else []

    def row(self, job: Any) -> JobRow:
        """The job as the store has it."""
        row = self.store.insights.job(job.id.bytes)
        assert row is not None
        return row

    def ended(self, job: Any, seconds: float = 10) -> JobRow:
        """The job when it has ended."""
        until(lambda: self.row(job).state.ended, seconds)
        return self.row(job)

    def close(self) -> None:
        """End the workers."""
        self._stack.close()
        self.store.close()
        tasks.app.close()


def _open(url: str, folder: Path) -> Iterator[Shop]:
    before = _present()
    shop = Shop(url, folder)
    try:
        yield shop
    finally:
        shop.close()
    _nothing_left(before)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """On a SQLite file."""
    put_database(tmp_path / "jobs.db")
    yield from _open(f"sqlite:///{tmp_path}/jobs.db", tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def any_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """On each engine."""
    if request.param == "sqlite":
        put_database(tmp_path / "jobs.db")
        yield from _open(f"sqlite:///{tmp_path}/jobs.db", tmp_path)
        return
    yield from _open(request.getfixturevalue("migrated_pg_url"), tmp_path)


def _present() -> set[str]:
    """Threads of workers, and processes below this one that are no server of a test."""
    present = {thread.name for thread in threading.enumerate() if thread.name.startswith("relet-")}
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if child.name() != "postgres":
                present.add(f"process {child.pid}")
    return present


def _nothing_left(before: set[str]) -> None:
    """Whatever a worker starts ends with it."""
    try:
        until(lambda: _present() <= before, 5)
    except AssertionError:
        raise AssertionError(f"left behind: {_present() - before}") from None
