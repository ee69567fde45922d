"""What is done to workers and to the store, at random, and what they held at that moment."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import apsw

from relet.errors import ReletError, StoreError
from relet.store.open import open_store
from relet.store.port import Store
from tests.soak.crew import LEASE_S, Crew, Member
from tests.soak.judge import Fault
from tests.support.postgres import PostgresServer


class Faults:
    """One fault after the other, with a breath in between."""

    def __init__(self, crew: Crew, rng: random.Random, server: PostgresServer | None) -> None:
        self.done: list[Fault] = []
        self.counts: Counter[str] = Counter()
        self._crew = crew
        self._rng = rng
        self._server = server
        self._store: Store | None = None
        self._file = None if server else crew.url.removeprefix("sqlite:///")
        self._resume: list[tuple[float, Member]] = []

    def step(self) -> None:
        """Resume what has stood still for long enough, and perhaps do something new."""
        now = time.monotonic()
        for at, member in tuple(self._resume):
            if at <= now:
                self._go_on(member)
                self._resume.remove((at, member))
        acts: dict[Callable[[], None], int] = {self._kill: 40, self._stop: 25, self._term: 15, self._store_fault: 12}
        with suppress(ReletError):  # the store may be away just now; the next one will do
            self._rng.choices(list(acts), list(acts.values()))[0]()

    def finish(self) -> None:
        """Everything goes on again."""
        for _, member in self._resume:
            self._go_on(member)
        self._resume.clear()
        if self._server is not None:
            self._server.start()
        if self._store is not None:
            self._store.close()
            self._store = None

    def _victim(self) -> Member | None:
        """A worker that runs; never the last one."""
        living = self._crew.living()
        return self._rng.choice(living) if len(living) > 1 else None

    def _kill(self) -> None:
        victim = self._victim()
        if victim is not None:
            self._crew.kill(victim)
            self.counts["kills"] += 1
            self.done.append(Fault("kill", _now(), self._held(victim.pid)))

    def _stop(self) -> None:
        victim = self._victim()
        if victim is None or self._resume:
            return
        if not self._stand_still(victim):
            return
        victim.stopped = True
        self.counts["stops"] += 1
        self._resume.append((time.monotonic() + LEASE_S + self._rng.uniform(0.5, 2.0), victim))
        self.done.append(Fault("stop", _now(), self._held(victim.pid)))

    def _stand_still(self, victim: Member) -> bool:
        """SIGSTOP, but not in the middle of a write: SQLite has one writer, and it would stop them all."""
        for _ in range(50):
            victim.process.send_signal(signal.SIGSTOP)
            if self._file is None or _writable(self._file):
                return True
            victim.process.send_signal(signal.SIGCONT)
            time.sleep(0.005)
        return False

    @staticmethod
    def _go_on(member: Member) -> None:
        member.stopped = False
        if not member.gone:
            member.process.send_signal(signal.SIGCONT)

    def _term(self) -> None:
        victim = self._victim()
        if victim is not None:
            victim.told = True
            victim.process.terminate()
            self.counts["terms"] += 1

    def _store_fault(self) -> None:
        if self._server is not None:
            self._restart(self._server)
        elif self._file is not None:
            self._hold_the_writer(self._file)

    def _restart(self, server: PostgresServer) -> None:
        how = self._rng.choice(["kill", "kill", "immediate", "fast"])
        if how == "kill":
            server.kill()
        else:
            server.stop(immediate=how == "immediate")
        time.sleep(self._rng.uniform(0, 0.8))
        server.start()
        self.counts["store_restarts"] += 1

    def _hold_the_writer(self, file: str) -> None:
        """Another program holds a transaction open, or rebuilds the file."""
        connection = apsw.Connection(file)
        connection.set_busy_timeout(3000)
        try:
            with suppress(apsw.BusyError):
                if self._rng.random() < 0.5:
                    connection.execute("begin immediate")
                    time.sleep(self._rng.uniform(0.1, 0.6))
                    connection.execute("rollback")
                else:
                    connection.execute("vacuum")
                self.counts["store_holds"] += 1
        finally:
            connection.close()

    def _held(self, pid: int) -> dict[str, int]:
        """What the process holds, by the rows: its last claims are among it, for it does nothing any more."""
        if self._store is None:
            self._store = open_store(self._crew.url)
        with suppress(StoreError):  # a connection from before the server's last restart ends with this call
            self._store.now()
        insights = self._store.insights
        sessions = {row.id for row in insights.sessions() if row.pid == pid}
        return {str(UUID(bytes=row.job_id)): row.epoch for row in insights.leases() if row.session_id in sessions}


def _writable(file: str) -> bool:
    connection = apsw.Connection(file)
    connection.set_busy_timeout(100)
    try:
        connection.execute("begin immediate")
        connection.execute("rollback")
    except apsw.BusyError:
        return False
    finally:
        connection.close()
    return True


def _now() -> int:
    return time.time_ns() // 1000
