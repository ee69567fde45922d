"""One side with a fresh store, for the time of one measurement."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.ground import Ground
from benchmarks.peers.environment import ADAPTERS, Environment
from benchmarks.peers.sides import Side
from benchmarks.tasks import SLOT
from tests.support.postgres import PostgresServer

CLIENT_SECONDS = 180
"""How long a client may take."""


class Failed(Exception):
    """A side did not do what was asked of it; the message says what."""


@dataclass
class Stage:
    """A side's store, its clients and its workers. The ground holds their marks and their processes."""

    side: Side
    environment: Environment
    ground: Ground
    url: str = ""

    def client(self, *words: str) -> dict[str, float]:
        """Run one command of the adapter to its end; what it said. Raises Failed."""
        command = self.environment.command(self.side, *words)
        process = self._start(command, "client", subprocess.PIPE)
        try:
            said, _ = process.communicate(timeout=CLIENT_SECONDS)
        except subprocess.TimeoutExpired as late:
            raise Failed(f"{words[0]} took more than {CLIENT_SECONDS} s") from late
        if process.returncode:
            raise Failed(f"{words[0]} failed: {self.complaint('client')}")
        lines = said.decode().strip().splitlines()
        return json.loads(lines[-1]) if lines else {}

    def worker(self) -> subprocess.Popen[bytes]:
        """Start one worker process, as its project starts them."""
        if self.side.runtime == "relet":
            return self.ground.worker(self.url, slots=1000, turn_size=500)
        return self._start(self.environment.worker(self.side), "worker")

    def trickle(self, every_ms: int) -> subprocess.Popen[bytes]:
        """Start a producer of no-ops."""
        return self._start(self.environment.command(self.side, "trickle", str(every_ms)), "trickle")

    @contextmanager
    def judge(self) -> Iterator[Callable[[], bool]]:
        """What asks the side's own store whether anything is left to run or to settle.

        Autovacuum would look at the tables a minute after a bulk enqueue; here they are analyzed at once, for every side.
        """
        with closing(self._connected()) as store:
            store.execute("analyze")
            yield lambda: bool(store.execute(self.side.unfinished).fetchone()[0])

    def _connected(self) -> Any:  # of two drivers, and the little that they share
        if self.side.store == "sqlite":
            return sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=10, isolation_level=None)
        return psycopg.connect(self.url, autocommit=True)

    def at_work(self) -> set[int]:
        """The processes that have run a job."""
        texts = {int(slot.stem): slot.read_bytes() for slot in self.ground.home.glob("*.slot")}
        return {pid for pid, text in texts.items() if len(text) == SLOT.size and SLOT.unpack(text)[0]}

    def waits(self) -> list[float]:
        """What the stamps wrote down, in milliseconds."""
        return [seconds * 1000 for seconds in self._lines("latencies")]

    def held(self) -> list[float]:
        """When the job that was to be lost ran, and ran again."""
        return self._lines("held")

    def _lines(self, name: str) -> list[float]:
        file = self.ground.home / name
        return [float(line) for line in file.read_text().split()] if file.exists() else []

    def complaint(self, who: str = "worker") -> str:
        """The last that it said."""
        texts = [log.read_text(errors="replace").strip() for log in sorted(self.ground.home.glob(f"{who}*.log"))]
        return next((text.splitlines()[-1][:300] for text in reversed(texts) if text), "it said nothing")

    def _start(self, command: list[str], name: str, output: int | None = None) -> subprocess.Popen[bytes]:
        ground = self.ground
        with (ground.home / f"{name}{len(ground.workers):03}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=self._variables(),
                cwd=ground.home,
                stdout=output or log,
                stderr=log,
                start_new_session=True,
            )
        ground.workers.append(process)
        return process

    def _variables(self) -> dict[str, str]:
        """Nothing that would configure a side is handed on."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RELET_", "PG", "PYTHON", "NODE_"))
        }
        paths = [ADAPTERS] if self.side.runtime != "relet" else [ADAPTERS, Path(__file__).parents[2]]
        return kept | {
            "BENCH_DIR": str(self.ground.home),
            "BENCH_URL": self.url,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
        }


@contextmanager
def stage(side: Side, environment: Environment, server: PostgresServer | None, where: Path) -> Iterator[Stage]:
    """A side with a store that is empty, and its tables made, in a directory of its own. Raises Failed."""
    home, database = Path(tempfile.mkdtemp(prefix=f"{side.name}-", dir=where)), ""
    place = Stage(side, environment, Ground(side.store, home, server))
    try:
        if server is None or side.store == "sqlite":
            place.url = f"sqlite:///{home / 'jobs.db'}"
            place.client("install")
        else:
            database = server.create_database(server.template(side.name.replace("-", "_"), _builder(place)))
            place.url = server.url(database)
        yield place
    finally:
        place.ground.close()
        if server is not None and database:
            server.drop_database(database)
        shutil.rmtree(home, ignore_errors=True)


def _builder(place: Stage) -> Callable[[str], None]:
    """What makes a side's tables in the database that its stores are copied from."""

    def build(url: str) -> None:
        place.url = url
        place.client("install")

    return build


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a worker and to whatever it has started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
