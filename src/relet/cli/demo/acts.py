"""What is done to the workers, and what is seen of it in the store and in the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from relet.cli.demo.crew import Crew, Member
from relet.cli.demo.stage import Stage
from relet.cli.demo.workload import Effect
from relet.cli.target import sqlite_file
from relet.clock import SECOND, SystemClock, pause
from relet.store.port import Store
from relet.store.records import uuid_of
from relet.store.rows import LeaseRow
from relet.store.sqlite.driver import ERRORS, ApswDriver, StdlibDriver, busy

PATIENCE_US = 12 * SECOND
"""Four leases: more than a paused worker has."""


@dataclass
class Kill:
    """A worker that was killed while it held jobs, and when one of them ran again."""

    at: int
    fences: dict[str, int]
    """Of each job that it held (by idempotency key), the fencing token."""
    rerun_at: int | None = None

    def look(self, ledger: list[Effect]) -> bool:
        """True once a run of one of its jobs, by a later claim, is in the ledger."""
        again = [e.at for e in ledger if e.fence > self.fences.get(e.key, 2**62) and e.at >= self.at]
        self.rerun_at = min(again, default=None)
        return self.rerun_at is not None


@dataclass
class Acts:
    """All that was done so far."""

    store: Store
    crew: Crew
    stage: Stage
    clock: SystemClock = field(default_factory=SystemClock)
    kills: list[Kill] = field(default_factory=list[Kill])
    pauses: int = 0

    def holders(self) -> list[tuple[Member, bytes, list[LeaseRow]]]:
        """Our workers that hold jobs now, the busiest first: (worker, its session, what it holds)."""
        held: dict[bytes, list[LeaseRow]] = {}
        for lease in self.store.insights.leases():
            held.setdefault(lease.session_id, []).append(lease)
        found = [
            (member, session.id, held[session.id])
            for session in self.store.insights.sessions()
            if session.id in held and (member := self.crew.by_pid(session.pid)) and not member.paused
        ]
        return sorted(found, key=lambda one: -len(one[2]))

    def kill(self) -> bool:
        """SIGKILL to a worker that holds jobs. False: none does at this moment."""
        for member, _session, leases in self.holders():
            self.crew.kill(member)
            held = [lease for lease in self.store.insights.leases() if lease.session_id == leases[0].session_id]
            if not held:
                continue
            fences = {str(uuid_of(lease.job_id)): lease.epoch for lease in held}
            self.kills.append(Kill(self.clock.now(), fences))
            self.stage.tell(
                "kill",
                f"SIGKILL to worker {member.name} (pid {member.pid}): it held {len(held)} jobs",
                worker=member.name,
                pid=member.pid,
                held=len(held),
            )
            return True
        return False

    def pause(self) -> bool:
        """Stop a worker that holds jobs until its lease is over and its jobs are let to others; then let it go on."""
        held = self.holders()
        if not held:
            return False
        member, session_id, _ = held[0]
        self._stop(member)
        self.pauses += 1
        self.stage.tell(
            "pause", f"SIGSTOP to worker {member.name}: it does not know that time passes", worker=member.name
        )
        return self._outlast(member, session_id)

    def _stop(self, member: Member) -> None:
        """SIGSTOP, but not in the middle of a write: SQLite has one writer, and a writer that stands still holds up all."""
        file = sqlite_file(self.crew.url)
        self.crew.pause(member)
        while not _stands_still(member.pid) or (file is not None and not _free(self.crew.url, str(file))):
            self.crew.resume(member)
            pause(5_000)
            self.crew.pause(member)

    def _outlast(self, member: Member, session_id: bytes) -> bool:
        deadline = self.clock.steady() + PATIENCE_US
        before = self.crew.refused()
        while self.clock.steady() < deadline:
            self.crew.fill()
            if not any(session.id == session_id for session in self.store.insights.sessions()):
                self.stage.tell(
                    "lapse", f"The lease of worker {member.name} is over; its jobs were let again", worker=member.name
                )
                break
            pause(50_000)
        self.crew.resume(member)
        while self.clock.steady() < deadline:
            refused = self.crew.refused() - before
            if refused or member.gone:
                self.stage.tell(
                    "refused",
                    f"SIGCONT: worker {member.name} went on, and {refused} late writes were refused",
                    worker=member.name,
                    refused=refused,
                )
                return refused > 0
            pause(50_000)
        self.stage.tell(
            "again", f"Worker {member.name} had nothing to write late; it is tried again", worker=member.name
        )
        return False


def _stands_still(pid: int) -> bool:
    """Wait until each thread has heard of the stop: one that is inside the kernel may still take a lock on its way there."""
    tasks = Path(f"/proc/{pid}/task")
    for _ in range(100):
        try:
            states = {(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks.iterdir()}
        except OSError:  # no such system, or the process is gone
            pause(50_000)
            return True
        if states <= {"T", "t"}:
            return True
        pause(2_000)
    return False


def _free(url: str, file: str) -> bool:
    """True when the writer's place is free: nobody holds it for longer than a moment."""
    probe = StdlibDriver(file) if url.startswith("sqlite+stdlib") else ApswDriver(file)
    try:
        probe.execute("pragma busy_timeout = 100")
        probe.execute("begin immediate")
        probe.execute("rollback")
    except ERRORS as error:
        if not busy(error):
            raise
        return False
    finally:
        probe.close()
    return True
