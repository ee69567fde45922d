"""The demo's worker processes: ordinary `relet worker` commands, started anew when they die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from relet.cli.demo.workload import LEDGER

LEASE, HEARTBEAT = "3s", "1s"
"""Short, so that a paused worker is over soon. The defaults are 90 s and 30 s."""

REFUSED = "job.fenced"
"""The event with which a worker reports that the store refused what it wrote late."""


@dataclass
class Member:
    """One worker process."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    paused: bool = False

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def gone(self) -> bool:
        return self.process.poll() is not None


@dataclass
class Crew:
    """All worker processes, those that are gone included."""

    url: str
    place: Path
    ledger: Path
    slots: int = 8
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    started: int = 0

    def fill(self, names: tuple[str, ...] = ("A", "B")) -> list[tuple[str, int | None]]:
        """Start what is not there; returns (name, exit status of its predecessor) of each."""
        new: list[tuple[str, int | None]] = []
        for name in names:
            old = self.members.get(name)
            if old is None or old.gone:
                self.members[name] = self._start(name)
                new.append((name, old.process.returncode if old else None))
        return new

    def _start(self, name: str) -> Member:
        self.started += 1
        log = self.place / f"worker-{self.started:03}-{name}.log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "relet.cli", "worker", "-A", "relet.cli.demo.workload:app"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=self._environment(name),
                start_new_session=True,
            )
        return Member(name, process, log)

    def _environment(self, name: str) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("RELET_")}
        return own | {
            "RELET_URL": self.url,
            "RELET_WORKER": name,
            "RELET_LEASE": LEASE,
            "RELET_HEARTBEAT": HEARTBEAT,
            "RELET_SLOTS": str(self.slots),
            "RELET_GRACE": "5s",
            "RELET_LOG_FORMAT": "json",
            "RELET_LOCK_DIR": str(self.place / "locks"),
            LEDGER: str(self.ledger),
        }

    def last_words(self) -> str:
        """The last line of the newest log: why a worker went by itself."""
        logs = sorted(self.place.glob("worker-*.log"), key=lambda log: log.stat().st_mtime)
        lines = [line for log in logs for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "(it said nothing)"

    def by_pid(self, pid: int) -> Member | None:
        """The member that runs as this process, if it still does."""
        return next((m for m in self.members.values() if m.pid == pid and not m.gone), None)

    @staticmethod
    def kill(member: Member) -> None:
        """SIGKILL: it has no time for anything."""
        os.kill(member.pid, signal.SIGKILL)
        member.process.wait()

    @staticmethod
    def pause(member: Member) -> None:
        """SIGSTOP: it does not know that time passes."""
        os.kill(member.pid, signal.SIGSTOP)
        member.paused = True

    @staticmethod
    def resume(member: Member) -> None:
        """SIGCONT: it goes on as if nothing had happened."""
        if not member.gone:
            os.kill(member.pid, signal.SIGCONT)
        member.paused = False

    def dismiss(self) -> dict[str, int]:
        """SIGTERM, and wait for the drain; returns their exit statuses."""
        for member in self.members.values():
            self.resume(member)
            if not member.gone:
                member.process.terminate()
        return {member.name: _ended(member.process) for member in self.members.values()}

    def events(self) -> Iterator[dict[str, object]]:
        """What the workers have reported so far."""
        for log in sorted(self.place.glob("worker-*.log")):
            for line in log.read_text(errors="replace").splitlines():
                if line.startswith("{"):
                    try:
                        yield json.loads(line)
                    except ValueError:
                        continue

    def refused(self) -> int:
        """Late writes that the store refused."""
        return sum(event.get("event") == REFUSED for event in self.events())


def _ended(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
