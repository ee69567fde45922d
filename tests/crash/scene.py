"""Where the faults happen: a store, workers in this process and in others, and a look at what they leave behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import apsw
import psycopg

from relet.errors import StoreUnavailable
from relet.settings import Settings
from relet.store.port import Store
from relet.store.rows import JobRow
from relet.work.worker import Worker
from tests.crash import tasks
from tests.store.invariants import check_invariants
from tests.support.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]

Row = tuple[Any, ...]


class Look:
    """A database under real clocks, looked at behind the store's back. A bed in all that the invariants ask of one."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, sql: str) -> list[Row]:
        """Run any statement. Tables are written `relet.job`, ids are bytes."""
        if self.url.startswith("sqlite"):
            return self._lite(sql.replace("relet.", "relet_"))
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            rows = cursor.fetchall() if cursor.description else []
        return [tuple(value.bytes if isinstance(value, UUID) else value for value in row) for row in rows]

    def all_rows(self, statements: Sequence[str]) -> list[list[Row]]:
        """Run several queries. Nothing else goes on meanwhile."""
        return [self.rows(sql) for sql in statements]

    def _lite(self, sql: str) -> list[Row]:
        connection = apsw.Connection(self.url.removeprefix("sqlite:///"))
        connection.set_busy_timeout(5000)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


class Mark(NamedTuple):
    """One line that a run has left."""

    word: str
    job: str
    epoch: int
    pid: int


class Process:
    """A process of ours: a worker that tells its events, or a command that writes its log."""

    def __init__(self, command: Sequence[str], out: Path, **how: Any) -> None:
        self.out = out
        self.err = out.with_suffix(".err")
        with out.open("wb") as stdout, self.err.open("wb") as stderr:
            self.popen = subprocess.Popen(command, cwd=ROOT, stdout=stdout, stderr=stderr, **how)
        self.pid = self.popen.pid

    def told(self, event: str) -> list[dict[str, Any]]:
        """The events of that name so far."""
        lines = [json.loads(line) for line in self.out.read_text().splitlines() if line.endswith("}")]
        return [line for line in lines if line["event"] == event]

    def said(self) -> list[str]:
        """The lines on its standard error so far."""
        return self.err.read_text(errors="replace").splitlines()

    def ready(self) -> "Process":
        """Wait until it holds a lease."""
        until(lambda: self.told("session.opened") or any(" is ready" in line for line in self.said()))
        return self

    def ended(self, seconds: float = PATIENCE) -> int:
        """Its exit status, when it has ended. If it does not end: where it is."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGABRT)
            self.popen.wait()
            said = self.out.read_text()[-2000:] + "\n".join(self.said())
            raise AssertionError(f"it did not end:\n{said}") from None

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, also to one that stands still."""
        self.popen.kill()
        self.popen.wait()

    @property
    def lives(self) -> bool:
        return self.popen.poll() is None


class Scene:
    """One store and all that happens around it."""

    def __init__(self, engine: str, url: str, folder: Path) -> None:
        self.engine = engine
        self.url = url
        self.folder = folder
        self.path = folder / "marks"
        self.marks_path = str(self.path)
        self.look = Look(url)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._stack = ExitStack()
        self.processes: list[Process] = []
        self.skip_check = ""
        """Why the rows cannot keep the invariants: a test has broken them itself."""
        tasks.app.settings = Settings.load(code=self.settings(), env={}, cwd=folder)
        self.store: Store = tasks.app.open_store()

    def settings(self, **given: str) -> dict[str, str]:
        """What workers of this scene are told, unless something else is given."""
        own = {"url": self.url, "lease": "30s", "poll": "50ms", "grace": "5s", "cancel_grace": "300ms"}
        return {**own, "lock_dir": str(self.folder / "locks"), **given}

    # ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────
    def worker(self, employer: Any = None, **given: Any) -> Worker:
        """A worker in this process, until the end of the test."""
        settings = Settings.load(code=self.settings(**given), env={}, cwd=self.folder)
        worker = Worker(employer or tasks.app, settings, emit=self._emit)
        worker.start()
        self._stack.callback(_end, worker)
        return worker

    def process(self, *, how: dict[str, Any] | None = None, **given: str) -> Process:
        """A worker process, until the end of the test; `how` says how it is started."""
        given = self.settings(**given)
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.crash.serve", json.dumps(given)]
        return self._started(command, **(how or {}))

    def command(self, *words: str, **given: str) -> Process:
        """`relet …` in a process of its own, until the end of the test."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("RELET_")}
        env = own | {f"RELET_{name.upper()}": value for name, value in self.settings(**given).items()}
        return self._started([sys.executable, "-X", "faulthandler", "-m", "relet", *words], env=env)

    def _started(self, command: Sequence[str], **how: Any) -> Process:
        self.processes.append(Process(command, self.folder / f"out-{len(self.processes)}", **how))
        return self.processes[-1]

    def _emit(self, event: str, /, **fields: Any) -> None:
        self.events.append((event, fields))

    def told(self, event: str) -> list[dict[str, Any]]:
        """The facts of all events of that name, of workers in this process."""
        return [fields for name, fields in self.events if name == event]

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────────────
    def marks(self, word: str = "") -> list[Mark]:
        """What runs have left, of that word."""
        if not self.path.exists():
            return []
        lines = [line.split(" ") for line in self.path.read_text().splitlines()]
        marks = [Mark(name, job, int(epoch), int(pid)) for name, job, epoch, pid in lines]
        return [one for one in marks if word in ("", one.word)]

    def row(self, job: Any) -> JobRow:
        """The job as the store has it."""
        try:
            row = self.store.insights.job(job.id.bytes)
        except StoreUnavailable:  # a server that was restarted: the next call connects anew
            row = self.store.insights.job(job.id.bytes)
        assert row is not None, f"job {job.id} is lost"
        return row

    def ended(self, job: Any, seconds: float = PATIENCE) -> JobRow:
        """The job when it has ended."""
        until(lambda: self.row(job).state.ended, seconds)
        return self.row(job)

    def history(self, job: Any) -> list[str]:
        """How its claims ended, oldest first."""
        return [row.outcome for row in self.store.insights.attempts(job.id.bytes)]

    def rows(self, sql: str) -> list[Row]:
        """Any statement, behind the store's back."""
        return self.look.rows(sql)

    def held(self) -> int:
        """Jobs that are let now."""
        return int(self.rows("select count(*) from relet.running")[0][0])

    # ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────
    def close(self) -> None:
        """End everything that was started here."""
        for process in self.processes:
            if process.lives:
                process.signal(signal.SIGCONT)
                process.kill()
        self._stack.close()
        self.store.close()
        tasks.app.close()

    def check(self) -> None:
        """The rows must keep the invariants."""
        if self.skip_check:
            return
        check_invariants(self.look)  # type: ignore[arg-type]  it asks for rows only


def _end(worker: Worker) -> None:
    worker.stop()
    assert worker.wait(20), "the worker did not end"
