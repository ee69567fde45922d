"""A real store on disk with jobs in every state, and the command line called as `relet` calls it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from relet.cli import main
from relet.clock import SECOND, Ids
from relet.job.job import After, Claim, NewBatch, NewJob, Options
from relet.job.outcome import Ended
from relet.job.settlement import DeadReason, Settle
from relet.job.state import State
from relet.store.open import open_store
from relet.store.port import Store
from relet.store.records import Lane, Notes, Progress, SessionInfo, Want
from tests.support.sqlite import put_database

LEASE_US = 60 * SECOND


class Ran(NamedTuple):
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """The lines of a table, split at its gaps, without the title line."""
        return [line.split() for line in self.out.splitlines()[1:]]


Cli = Callable[..., Ran]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run one command in an empty directory, with nothing in the environment that concerns it."""
    for name in ("RELET_URL", "RELET_APP", "WORKER_ID", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*argv: str) -> Ran:
        capsys.readouterr()
        status = main(argv)
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return run


@pytest.fixture
def fresh_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports from its directory is not there for the next."""
    monkeypatch.chdir(tmp_path)
    before, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


class Shop:
    """A store and one session, for bringing jobs into the state that a test wants."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.store: Store = open_store(url)
        self.ids = Ids()
        self.session = self.open_session("worker-1")

    def open_session(self, worker: str, queues: tuple[str, ...] = (), lease_us: int = LEASE_US) -> bytes:
        session = self.ids.session()
        self.store.open_session(SessionInfo(session, worker, "host-1", 4711, queues, ("mail",), slots=4), lease_us)
        return session

    def add(self, count: int = 1, **given: Any) -> list[bytes]:
        """Enqueue jobs."""
        jobs = [NewJob(job_id, **{"task": "mail", **given}) for job_id in self.ids.jobs(count)]
        return [one.job_id for one in self.store.enqueue(jobs)]

    def run(self, count: int = 1, queue: str = "default", **given: Any) -> list[Claim]:
        """Enqueue jobs and claim them."""
        jobs = self.add(count, queue=queue, **given)
        want = Want(count, (Lane(queue, -1),), (given.get("task", "mail"),))
        claims = self.store.turn(self.session, (), Notes(), want).claims
        assert {claim.job_id for claim in claims} == set(jobs)
        return list(claims)

    def tell(self, claim: Claim, percent: float, message: str) -> None:
        notes = Notes(progress=[Progress(claim.job_id, claim.epoch, percent, message)])
        self.store.turn(self.session, (), notes, None)

    def end(self, claim: Claim, to: State, ended: Ended, **facts: Any) -> bytes:
        """Settle a claim."""
        settle = Settle(claim.job_id, claim.epoch, ended, to, flags=claim.flags, **facts)
        assert self.store.turn(self.session, [settle], Notes(), None).answers == ("accepted",)
        return claim.job_id

    def succeed(self, result: str = '"ok"', **given: Any) -> bytes:
        return self.end(self.run(**given)[0], State.SUCCEEDED, Ended.SUCCESS, result=result)

    def die(self, error: str = "ValueError: boom", stack: str = "Traceback\n  line", **given: Any) -> bytes:
        claim = self.run(**given)[0]
        facts = {"error": error, "stack": stack, "dead_reason": DeadReason.PERMANENT}
        return self.end(claim, State.DEAD, Ended.FAILURE, **facts)

    def chain(self, count: int) -> list[bytes]:
        """Enqueue jobs of which each comes after the one before it."""
        ids = self.ids.jobs(count)
        befores = [(), *((After(before),) for before in ids)]
        jobs = [NewJob(job_id, "mail", after=after) for job_id, after in zip(ids, befores, strict=False)]
        return [one.job_id for one in self.store.enqueue(jobs)]

    def batch(self, label: str, count: int) -> tuple[bytes, list[bytes]]:
        """Enqueue a batch; its id and those of its jobs."""
        batch = NewBatch(self.ids.job(), label)
        options = Options(batch=batch.id.hex())
        jobs = [NewJob(job_id, "mail", options=options) for job_id in self.ids.jobs(count)]
        return batch.id, [one.job_id for one in self.store.enqueue(jobs, [batch])]

    def die_next(self) -> bytes:
        """Claim one job, and bury it."""
        (claim,) = self.store.turn(self.session, (), Notes(), Want(1, (Lane("default", -1),), ("mail",))).claims
        return self.end(claim, State.DEAD, Ended.FAILURE, error="boom", dead_reason=DeadReason.PERMANENT)

    def state(self, job_id: bytes) -> State | None:
        row = self.store.insights.job(job_id)
        return row.state if row else None


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    put_database(tmp_path / "relet.db")
    shop = Shop(f"sqlite:///{tmp_path}/relet.db")
    yield shop
    shop.store.close()


def text(job_id: bytes) -> str:
    """An id as people write it."""
    from uuid import UUID

    return str(UUID(bytes=job_id))
