"""The processes of the service: a server, and workers by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from examples.charts.client import Client


class Running:
    """Starts them, and ends those that are left. What they log is in the folder."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self._folder = folder
        self._logs: list[IO[bytes]] = []
        self.workers = {f"charts-{n}": self._worker(f"charts-{n}") for n in range(1, workers + 1)}
        self._server = self._start("server", ["examples.charts", "serve", "--port", "0"], stdout=subprocess.PIPE)
        assert self._server.stdout is not None
        with self._server.stdout as lines:
            self.client = Client(lines.readline().decode().strip())

    def send(self, worker: str, number: signal.Signals) -> None:
        """Send a signal to a worker. SIGKILL: it says nothing, and gives nothing back."""
        self.workers[worker].send_signal(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        processes = [*self.workers.values(), self._server]
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        for log in self._logs:
            log.close()

    def _worker(self, name: str) -> subprocess.Popen[bytes]:
        # Two charts at once; one that will not end when its time is up is killed a second later.
        options = ["--worker", name, "--slots", "2", "--cancel-grace", "1s"]
        return self._start(name, ["relet", "worker", "-A", "examples.charts.tasks", *options])

    def _start(self, name: str, words: list[str], stdout: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        log = (self._folder / f"{name}.log").open("wb")
        self._logs.append(log)
        return subprocess.Popen([sys.executable, "-m", *words], stdout=stdout, stderr=log, env=os.environ)
