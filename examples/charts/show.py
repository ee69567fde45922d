"""The whole service at work: the gallery is asked for over HTTP, a worker is killed, and what came of it is told and proved."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import msgspec

from examples.charts import tasks
from examples.charts.client import Answer
from examples.charts.faults import Json
from examples.charts.gallery import gallery
from examples.charts.order import order_of, read_request
from examples.charts.page import page
from examples.charts.proof import flaw
from examples.charts.running import Running
from examples.charts.service import OLDER_PATHS
from relet.records import JobInfo

PATIENCE_S = 120.0
FORMATS = ("svg", "png")
ROWS = [{"year": 2001, "price": 7}, {"year": 2002, "price": 9}]
REFUSED: dict[str, Json] = {
    "an unknown mark": {"spec": {"data": {"values": ROWS}, "mark": "barr", "encoding": {"x": {"field": "year"}}}},
    "a missing field": {"chart": "line", "data": ROWS, "x": "year", "y": "prize"},
    "bad data": {"spec": {"data": {"values": [*ROWS, "2003: 8"]}, "mark": "bar"}},
    "a remote address": {"spec": {"data": {"url": "http://169.254.169.254/latest/meta-data"}, "mark": "bar"}},
    "a file": {"spec": {"data": {"url": "file:///etc/passwd"}, "mark": "bar"}},
    "a billion rows": {"spec": {"data": {"sequence": {"start": 0, "stop": 1e9}}, "mark": "point"}},
}
"""Orders that are not for drawing."""


@dataclass
class Show:
    """One run of it."""

    running: Running
    folder: Path
    began: float = field(default_factory=time.monotonic)
    charts: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """Where the job of each is, by name and format."""
    images: dict[tuple[str, str], Answer] = field(default_factory=dict[tuple[str, str], Answer])
    broken: int = 0
    gallery: dict[str, Json] = field(default_factory=gallery)

    def say(self, words: str) -> None:
        """One line, with the time."""
        print(f"{time.monotonic() - self.began:5.1f} s  {words}", flush=True)

    def claim(self, words: str, holds: bool) -> None:
        """Something that has to hold."""
        self.broken += not holds
        self.say(f"{'HOLDS ' if holds else 'BROKEN'}  {words}")

    def wait(self, reached: Callable[[], bool]) -> None:
        """Until something is so. Raises TimeoutError."""
        limit = time.monotonic() + PATIENCE_S
        while not reached():
            if time.monotonic() > limit:
                raise TimeoutError(f"It did not happen within {PATIENCE_S:g} s. The logs are in {self.folder}.")
            time.sleep(0.05)

    def begin(self) -> None:
        """Wait until all workers are there."""
        wanted = self.running.workers.keys()
        self.wait(lambda: wanted <= {worker.name for worker in tasks.app.workers.list()})
        self.say(
            f"{len(wanted)} workers, and a server at {self.running.client.url}. What they leave is in {self.folder}"
        )

    # ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────────
    def order(self) -> None:
        """Ask for the whole gallery in both formats, with every priority."""
        urgencies = cycle(["low", "normal", "high", "critical"])
        for name, form in self._wanted():
            answer = self.running.client.render({**self.gallery[name], "format": form, "priority": next(urgencies)})
            if answer.status != 202:
                raise RuntimeError(f"{name} as {form}: {answer.status} {answer.content.decode()}")
            self.charts[name, form] = answer.headers["location"]
        self.say(f"{len(self.charts)} charts are asked for: {len(self.gallery)} in each of {' and '.join(FORMATS)}")

    def order_again(self) -> None:
        """Ask for the same once more: by far not all are drawn yet."""
        for name, form in self._wanted():
            self.running.client.render({**self.gallery[name], "format": form})
        self.say("All of them are asked for once more")

    def collect(self) -> None:
        """Fetch what is ready, and tell of it."""
        for (name, form), place in self.charts.items():
            if (name, form) not in self.images and (answer := self.running.client.get(place)).status != 202:
                self.images[name, form] = answer
                said = flaw(form, answer.content) if answer.status == 200 else answer.content.decode()
                self.say(f"  {name:15} {form}  {answer.status}  {len(answer.content):7,} bytes  {said}")

    def kill_one(self, worker: str = "charts-2") -> None:
        """Kill a worker while it draws."""

        def at_it() -> bool:
            self.collect()
            if len(self.images) < 4 or not self._held(worker):
                return False
            self.running.send(worker, signal.SIGSTOP)  # so that it is still at them when it is killed
            if self._held(worker):
                return True
            self.running.send(worker, signal.SIGCONT)
            return False

        self.wait(at_it)
        self.say(f"kill -9 {worker}, which is at {self._held(worker)} charts")
        self.running.send(worker, signal.SIGKILL)

    def finish(self) -> None:
        """Wait for the rest."""

        def all_there() -> bool:
            self.collect()
            return len(self.images) == len(self.charts)

        self.wait(all_there)
        self.wait(lambda: all(job.state.ended for job in tasks.app.jobs.walk(task=tasks.render.name)))

    def ask_for_the_impossible(self) -> None:
        """What is not drawn is turned away with its reason."""
        answers = {what: self.running.client.render(order) for what, order in REFUSED.items()}
        for what, answer in answers.items():
            self.say(f"  {what:16}  {answer.status}  {answer.said['detail']}")
        self.claim(
            f"All {len(answers)} orders that cannot be drawn are refused, with the place that is wrong",
            all(answer.status == 422 and answer.said["errors"][0]["at"] for answer in answers.values()),
        )

    # ── proving ───────────────────────────────────────────────────────────────────────────────────────────────────────
    def prove(self, killed: bool) -> None:
        """All that has to hold, and the tally."""
        whole = [
            key for key, answer in self.images.items() if answer.status == 200 and not flaw(key[1], answer.content)
        ]
        self.claim(f"All {len(self.charts)} charts are there and whole", len(whole) == len(self.charts))
        jobs = list(tasks.app.jobs.walk(task=tasks.render.name))
        outcomes = Counter(one.outcome for job in jobs for one in tasks.app.job(job.id).attempts)
        keys = {self._key(name, form) for name, form in self._wanted()}
        once = self._drawn_once(jobs) and {path.stem for path in tasks.shelf.charts()} == keys
        self.claim(f"Each was put on the shelf once, though {2 * len(self.charts)} were asked for", once)
        if killed:
            self.claim("The killed worker was at some of them, and the other one drew these", outcomes["lost"] > 0)
        known = [
            self.running.client.get(self.charts[key], if_none_match=self.images[key].headers["etag"]) for key in whole
        ]
        self.claim("Who has a chart is not sent it again", all(answer.status == 304 for answer in known))
        answers = {path: self.running.client.get(path).status for path in OLDER_PATHS}
        self.claim(f"{', '.join(answers)} answer", set(answers.values()) == {200})
        self.say(f"Tally: {len(jobs)} jobs for {len(keys)} charts; claims that ended: {dict(outcomes)}")

    def _drawn_once(self, jobs: list[JobInfo]) -> bool:
        """One job says of each chart that it has put it there; or none, if it was killed between that and its success."""
        new, lost = Counter[str](), set[str]()
        for job in jobs:
            key, handle = job.args["key"], tasks.app.job(job.id, tasks.render)
            new[key] += handle.result(0).new
            lost |= {key for one in handle.attempts if one.outcome == "lost"}
        return all(number == 1 or (number == 0 and key in lost) for key, number in new.items())

    def keep(self) -> Path:
        """The gallery as files: a page, and the images beside it."""
        target = self.folder / "gallery"
        target.mkdir()
        for (name, form), answer in self.images.items():
            (target / f"{name}.{form}").write_bytes(answer.content)
        (target / "index.html").write_text(page({name: f"{name}.svg" for name in self.gallery}))
        return target / "index.html"

    def _held(self, worker: str) -> int:
        """How many charts a worker is at."""
        return sum(lease.worker == worker for lease in tasks.app.leases.list())

    def _wanted(self) -> list[tuple[str, str]]:
        return [(name, form) for name in self.gallery for form in FORMATS]

    def _key(self, name: str, form: str) -> str:
        body = msgspec.json.encode({**self.gallery[name], "format": form})
        return order_of(read_request(body)).key
