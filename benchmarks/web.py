"""The web server: how long pages take over two million jobs, and what 200 requests a second cost a busy worker beside it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import cycle

from benchmarks import raw
from benchmarks.figures import Figure
from benchmarks.ground import Ground, wait_for
from relet.job.job import NewJob

PAGES = (
    *(
        "",
        "/jobs",
        "/jobs?q=state:succeeded",
        "/jobs?q=state:ready",
        "/jobs?q=queue:other",
        "/queues",
        "/queues/default",
    ),
    *("/dead", "/workers", "/routines", "/limits", "/audit"),
)
"""Of the dashboard."""
ASKED = ("/api/v1/status", "/api/v1/jobs?limit=50", "/admin/workers", "/api/v1/queues", "/livez", "/metrics")
"""What is asked for beside a busy worker."""
RATE = 200
CLIENTS = 4
ENDED, READY = 190_000, 10_000
"""Jobs a unit of scale: two million in all."""


def web_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """Pages first, then the load."""
    yield from page_figures(ground, scale)
    yield from load_figures(ground, scale)


def page_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """Each page again and again; the slowest of them by its 95th percentile."""
    url = ground.fresh()
    with ground.opened(url) as store:
        for _ in range(scale):
            store.enqueue(raw.jobs(ENDED))
            raw.drain(store, 1000, 120)
        store.enqueue(raw.jobs(READY * scale))
        store.enqueue([NewJob(one, raw.TASK, "other") for one in raw.IDS.jobs(1_000)])
    with served(ground, url) as port:
        took = {path: _timed(port, f"/admin/workers{path}", 20) for path in PAGES}
    slowest = max(took, key=lambda path: _p95(took[path]))
    every = [one for times in took.values() for one in times]
    words = f"a page over {(ENDED + READY) * scale:,} jobs"
    yield Figure(ground.engine, f"{words}, p95 of all", _p95(every) * 1000, "ms")
    yield Figure(ground.engine, f"{words}, p95 of the slowest", _p95(took[slowest]) * 1000, "ms", note=slowest or "/")


def load_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """A worker's drain alone, and beside so many requests; in turn, so that both see the same machine."""
    total = 100_000 * scale
    pairs = [(busy(ground, total, 0)[0], busy(ground, total, RATE)) for _ in range(3)]
    alone = statistics.median(rate for rate, _ in pairs)
    beside = statistics.median(rate for _, (rate, _) in pairs)
    latencies = [one for _, (_, times) in pairs for one in times]
    yield Figure(
        ground.engine, f"drain beside {RATE} requests a second", beside, "jobs/s", beside / alone, "none of them"
    )
    yield Figure(ground.engine, f"a request of {RATE} a second beside it, p95", _p95(latencies) * 1000, "ms")


def busy(ground: Ground, total: int, rate: int) -> tuple[float, list[float]]:
    """Jobs a second of one worker, and how long each request took."""
    url = ground.fresh()
    with ground.opened(url) as store:
        store.enqueue(raw.jobs(total))
    os.sync()
    with served(ground, url) as port:
        process = ground.worker(url, slots=1000)
        asking = Asking(port, rate)
        wait_for(lambda: ground.runs()[0] >= total, 240)
        runs, first_at, last_at = ground.runs()
        times = asking.end()
        ground.end(process)
    assert runs == total
    return total / (last_at - first_at), times


class Asking:
    """Clients that ask for something so often a second, evenly, until the end."""

    def __init__(self, port: int, rate: int) -> None:
        self._port = port
        self._every = CLIENTS / rate if rate else 0.0
        self._over = threading.Event()
        self._took: list[float] = []
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(CLIENTS if rate else 0)]
        for thread in self._threads:
            thread.start()

    def end(self) -> list[float]:
        """How long each took."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        return self._took or [0.0]

    def _ask(self, place: int) -> None:
        client = HTTPConnection("127.0.0.1", self._port, timeout=30)
        due = time.monotonic() + place * self._every / CLIENTS
        for path in cycle(ASKED):
            if self._over.wait(max(0.0, due - time.monotonic())):
                return
            self._took.append(_asked(client, path))
            due += self._every


@contextmanager
def served(ground: Ground, url: str) -> Iterator[int]:
    """`relet web` over this store; the port that it listens on."""
    environment = {**os.environ, "BENCH_DIR": str(ground.home)}
    process = subprocess.Popen(
        [sys.executable, "-m", "relet.cli", "web", "--port", "0", "--url", url],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ground.home,
    )
    assert process.stderr is not None
    try:
        line = next(line for line in process.stderr if "serving" in line)
        port = int(line.partition("127.0.0.1:")[2].partition("/")[0])
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _timed(port: int, path: str, times: int) -> list[float]:
    client = HTTPConnection("127.0.0.1", port, timeout=60)
    return [_asked(client, path) for _ in range(times)]


def _asked(client: HTTPConnection, path: str) -> float:
    began = time.perf_counter()
    client.request("GET", path)
    answer = client.getresponse()
    answer.read()
    assert answer.status == 200, f"{path}: {answer.status}"
    return time.perf_counter() - began


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)] if len(times) > 1 else times[0]
