"""The worker processes: ordinary `relet worker` commands, started anew when they are gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.ledger import PLACE

ROOT = Path(__file__).parents[2]
LEASE_S = 2.0
SETTINGS = {"LEASE": "2s", "HEARTBEAT": "500ms", "POLL": "200ms", "SLOTS": "12", "GRACE": "5s", "CANCEL_GRACE": "1s"}


@dataclass
class Member:
    """One worker process."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stopped: bool = False
    told: bool = False
    """It was told to go."""

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def gone(self) -> bool:
        return self.process.poll() is not None

    @property
    def ready(self) -> bool:
        """Whether it has begun to work: before that, a signal ends it as any program."""
        return any(line.startswith("{") for line in self.log.read_text(errors="replace").splitlines())


@dataclass
class Crew:
    """All worker processes, those that are gone included."""

    url: str
    place: Path
    size: int
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    started: int = 0
    deaths: Counter[str] = field(default_factory=Counter[str])
    """How they ended: killed, drained, by poison, or in a way that nobody wanted."""
    killed: set[int] = field(default_factory=set[int])
    errors: list[str] = field(default_factory=list[str])

    def fill(self) -> None:
        """Start what is not there."""
        for name in (f"worker-{n}" for n in range(self.size)):
            member = self.members.get(name)
            if member is not None and member.gone:
                self._note(member)
            if member is None or member.gone:
                self.members[name] = self._start(name)

    def _note(self, member: Member) -> None:
        status = member.process.returncode
        if member.pid in self.killed:
            self.deaths["killed"] += 1
        elif member.told and status == 0:
            self.deaths["drained"] += 1
        elif member.told and status == -signal.SIGTERM and not member.ready:
            self.deaths["not_begun"] += 1
        elif status == -signal.SIGKILL:
            self.deaths["poisoned"] += 1
        else:
            self.deaths["else"] += 1
            last = member.log.read_text(errors="replace").splitlines()[-3:]
            self.errors.append(f"worker {member.name} ended with status {status}: {last}")

    def _start(self, name: str) -> Member:
        self.started += 1
        log = self.place / f"{self.started:04}-{name}.log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "relet", "worker", "-A", "tests.soak.tasks:app", "--url", self.url],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=environment(self.url, self.place, RELET_WORKER=name, RELET_LOG_FORMAT="json"),
                start_new_session=True,
            )
        return Member(name, process, log)

    def living(self) -> list[Member]:
        """Those that run and do not stand still."""
        return [m for m in self.members.values() if not (m.gone or m.stopped or m.told)]

    def kill(self, member: Member) -> None:
        """SIGKILL."""
        self.killed.add(member.pid)
        member.process.kill()
        member.process.wait()

    def dismiss(self) -> None:
        """SIGTERM to all, and wait for their drains. Whoever does not end with 0 is an error."""
        for member in self.members.values():
            if not member.gone:
                member.told = True
                member.process.send_signal(signal.SIGCONT)
                member.process.terminate()
        for member in self.members.values():
            try:
                member.process.wait(30)
            except subprocess.TimeoutExpired:
                self.errors.append(f"worker {member.name} did not drain within 30 s")
                member.process.kill()
                member.process.wait()
            self._note(member)
        self.members.clear()

    def events(self) -> Counter[str]:
        """How often each event was reported, over all logs."""
        counts: Counter[str] = Counter()
        for log in self.place.glob("*-worker-*.log"):
            for line in log.read_text(errors="replace").splitlines():
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    counts[str(event.get("event", ""))] += 1
        return counts


def environment(url: str, place: Path, **more: str) -> dict[str, str]:
    """For processes of the soak."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("RELET_")}
    settings = {f"RELET_{name}": value for name, value in SETTINGS.items()}
    return own | settings | {"RELET_URL": url, "RELET_LOCK_DIR": str(place / "locks"), PLACE: str(place), **more}
