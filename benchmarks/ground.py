"""The ground on which is measured: a fresh store of either engine, worker processes, and what they cost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.tasks import SLOT
from relet import App
from relet.settings import Settings
from relet.store.open import open_store
from relet.store.port import Store
from relet.store.schema import bring_up_to_date
from tests.support.postgres import PostgresServer


@dataclass
class Ground:
    """One engine."""

    engine: str
    home: Path
    server: PostgresServer | None = None
    made: int = 0
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    long: bool = False
    """Measure what takes minutes, too."""

    def fresh(self) -> str:
        """The URL of a new, empty store."""
        self.made += 1
        for slot in self.home.glob("*.slot"):
            slot.unlink()
        (self.home / "latencies").unlink(missing_ok=True)
        if self.server is None:
            url = f"sqlite:///{self.home / f'bench{self.made}.db'}"
        else:
            url = self.server.url(self.server.create_database())
        bring_up_to_date(url)
        return url

    @contextmanager
    def opened(self, url: str) -> Iterator[Store]:
        """A connection to it."""
        store = open_store(url)
        try:
            yield store
        finally:
            store.close()

    def worker(self, url: str, **settings: object) -> subprocess.Popen[bytes]:
        """Start one worker process with these settings."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RELET_")}
        environment |= {"RELET_URL": url, "BENCH_DIR": str(self.home), "RELET_LOCK_DIR": str(self.home / "locks")}
        environment |= {f"RELET_{name.upper()}": str(value) for name, value in settings.items()}
        with (self.home / f"worker{len(self.workers)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "relet.cli", "worker", "-A", "benchmarks.tasks:app"],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
        """Stop a worker and wait for it."""
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def runs(self) -> tuple[int, float, float]:
        """Runs so far, the first one's time, the last one's."""
        texts = [slot.read_bytes() for slot in self.home.glob("*.slot")]
        live = [one for one in (SLOT.unpack(text) for text in texts if len(text) == SLOT.size) if one[0]]
        if not live:
            return 0, 0.0, 0.0
        return sum(one[0] for one in live), min(one[1] for one in live), max(one[2] for one in live)

    def cpu(self, process: subprocess.Popen[bytes]) -> float:
        """CPU seconds that a worker has used."""
        times = psutil.Process(process.pid).cpu_times()
        return times.user + times.system

    def server_cpu(self) -> float:
        """CPU seconds that the database server has used, all its processes together."""
        if self.server is None or self.server.pid is None:
            return 0.0
        total = 0.0
        for process in _tree(self.server.pid):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total

    def close(self) -> None:
        """Stop everything."""
        for process in self.workers:
            self.end(process, signal.SIGKILL)


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


@contextmanager
def ground(engine: str) -> Iterator[Ground]:
    """An engine, for the time of the block."""
    home = Path(tempfile.mkdtemp(prefix="relet-bench-"))
    server = PostgresServer.launch() if engine == "postgres" else None
    made = Ground(engine, home, server)
    os.environ["BENCH_DIR"] = str(home)
    try:
        yield made
    finally:
        made.close()
        if server is not None:
            server.close()
        shutil.rmtree(home, ignore_errors=True)


def producer(url: str) -> App:
    """The measured tasks' app, bound to this store."""
    from benchmarks.tasks import app

    app.settings = Settings.load(code={"url": url}, env={})
    return app


def wait_for(condition: Callable[[], object], seconds: float, every: float = 0.005) -> bool:
    """Poll until `condition()` is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(every)
    return False
