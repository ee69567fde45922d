"""The course of one soak: producers, workers and faults for a while; then peace, until everything has ended; then the judge."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from relet.store.schema import bring_up_to_date
from tests.crash.scene import Look
from tests.soak import ledger
from tests.soak.crew import ROOT, Crew, environment
from tests.soak.faults import Faults
from tests.soak.judge import Ack, End, History, Run, Verdict, judge
from tests.store.invariants import check_invariants
from tests.support.postgres import PostgresServer

PEACE_S = 90.0
"""How long everything may take to end when nothing is done to it any more."""


@dataclass(frozen=True)
class Soak:
    """What is asked for."""

    engine: str
    seconds: float
    workers: int
    seed: int
    place: Path
    rate: float = 25.0
    """Calls a second of each of the two producers."""


Say = Callable[[str], None]


def perform(soak: Soak, say: Say) -> Verdict:
    """Run it and judge it. Everything that it starts has ended when it returns."""
    with ExitStack() as stack:
        soak.place.mkdir(parents=True, exist_ok=True)
        server = stack.enter_context(PostgresServer.launch()) if soak.engine == "postgres" else None
        url = server.url(server.create_database()) if server else f"sqlite:///{soak.place}/soak.db"
        bring_up_to_date(url)
        look = Look(url)
        look.rows("create table soak_effect (job text, epoch integer)")
        crew = Crew(url, soak.place, soak.workers)
        faults = Faults(crew, random.Random(soak.seed), server)
        complaints: list[str] = []
        try:
            with _producers(soak, url, complaints):
                _storm(soak, crew, faults, say)
            _peace(look, crew, complaints, say)
        finally:
            faults.finish()
            crew.dismiss()
        complaints += crew.errors + _leftovers(look, soak.place)
        return judge(_history(soak.place, look, crew, faults, complaints))


@contextmanager
def _producers(soak: Soak, url: str, complaints: list[str]) -> Iterator[None]:
    """Two processes that enqueue until the block ends, and then see to what they have begun."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.soak.produce", f"producer-{n}", str(soak.seed + n), str(soak.rate)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            env=environment(url, soak.place),
        )
        for n in range(2)
    ]
    try:
        yield
    finally:
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in processes:
            try:
                if process.wait(90) != 0:
                    complaints.append(f"a producer ended with status {process.returncode}")
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                complaints.append("a producer did not end")


def _storm(soak: Soak, crew: Crew, faults: Faults, say: Say) -> None:
    began, said, rng = time.monotonic(), 0.0, random.Random(soak.seed)
    next_fault = began + 2.0
    while (now := time.monotonic()) - began < soak.seconds:
        crew.fill()
        if now >= next_fault:
            faults.step()
            next_fault = time.monotonic() + rng.uniform(0.3, 2.0)
        if now - said > 5:
            said = now
            counts = ", ".join(f"{count} {word}" for word, count in sorted(faults.counts.items())) or "no faults yet"
            say(f"{now - began:6.1f}s  {counts}; {crew.started} workers started")
        time.sleep(0.05)
    faults.finish()


def _peace(look: Look, crew: Crew, complaints: list[str], say: Say) -> None:
    limit = time.monotonic() + PEACE_S
    while (left := _alive(look)) and time.monotonic() < limit:
        crew.fill()
        time.sleep(0.2)
    if left:
        complaints.append(f"{left} jobs have not ended {PEACE_S:.0f} s after the last fault (I1)")
    say("all jobs have ended" if not left else f"{left} jobs have not ended")


def _alive(look: Look) -> int:
    counts = look.all_rows([f"select count(*) from relet.{place}" for place in ("scheduled", "ready", "running")])
    return sum(int(rows[0][0]) for rows in counts)


def _leftovers(look: Look, place: Path) -> list[str]:
    """What must not be left when all have gone."""
    found: list[str] = []
    try:
        check_invariants(look)  # type: ignore[arg-type]  it asks for rows only
    except AssertionError as error:
        found.append(str(error))
    live = look.rows("select worker from relet.session where ended_at is null")
    found += [f"worker {name} has a session, and is gone" for (name,) in live]
    mine = [
        p
        for p in psutil.process_iter(["cmdline", "environ"])
        if (p.info["environ"] or {}).get(ledger.PLACE) == str(place)
    ]
    found += [f"process {p.pid} is left: {p.info['cmdline']}" for p in mine]
    return found


def _history(place: Path, look: Look, crew: Crew, faults: Faults, complaints: list[str]) -> History:
    told = list(ledger.read(place, "producers"))
    events = crew.events()
    complaints += [f"{events['worker.defect']} defects were reported by workers"] * bool(events["worker.defect"])
    return History(
        acks=[Ack(*ack) for line in told if line["word"] == "acknowledged" for ack in line["jobs"]],
        asked=sum(line["count"] for line in told if line["word"] == "asks"),
        runs=[
            Run(line["word"], line["job"], line["epoch"], line["at"], line["pid"], line["key"])
            for line in ledger.read(place, "runs")
        ],
        ends=_ends(look),
        attempts=_attempts(look),
        effects=[(str(job), int(epoch)) for job, epoch in look.rows("select job, epoch from soak_effect")],
        cured=frozenset(line["job"] for line in told if line["word"] == "cured"),
        cancelled=frozenset(line["job"] for line in told if line["word"] == "cancelled"),
        faults=faults.done,
        counts={
            **{word: faults.counts[word] for word in ("kills", "stops", "terms", "store_restarts", "store_holds")},
            **{f"workers_{how}": count for how, count in sorted(crew.deaths.items())},
            "workers_started": crew.started,
            "calls_refused": sum(line["word"] == "refused" for line in told),
            "late_writes_refused": events["job.fenced"],
            "sessions_lost": events["session.lost"],
            "dead_cured": sum(line["word"] == "cured" for line in told),
        },
        complaints=complaints,
    )


_ENDS = """
select j.id, j.task, 'succeeded', f.epoch, f.attempt, 0, j.created_at, f.finished_at, j.options, '' from relet.job j
    join relet.finished f on f.job_id = j.id where f.outcome = 'succeeded'
union all
select j.id, j.task, f.outcome, f.epoch, f.attempt, 0, j.created_at, f.finished_at, j.options, '' from relet.job j
    join relet.finished f on f.job_id = j.id where f.outcome <> 'succeeded'
union all
select j.id, j.task, 'dead', d.epoch, d.attempt, d.crashes, j.created_at, d.failed_at, j.options, d.reason from relet.job j
    join relet.dead d on d.job_id = j.id
"""


def _ends(look: Look) -> dict[str, End]:
    ends: dict[str, End] = {}
    for job_id, task, state, epoch, attempt, crashes, created, ended, options, reason in look.rows(_ENDS):
        job, key = str(UUID(bytes=job_id)), (json.loads(options) if options else {}).get("unique", "")
        name = task.rpartition(".")[2]
        ends[job] = End(job, name, state, epoch, attempt, crashes, created, ended, key, reason)
    for place in ("scheduled", "ready", "running"):
        columns = "j.id, j.task, p.epoch, p.attempt, p.crashes, j.created_at"
        sql = f"select {columns} from relet.job j join relet.{place} p on p.job_id = j.id"
        for job_id, task, epoch, attempt, crashes, created in look.rows(sql):
            job = str(UUID(bytes=job_id))
            ends[job] = End(job, task.rpartition(".")[2], place, epoch, attempt, crashes, created, None)
    return ends


def _attempts(look: Look) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, Any]]] = {}
    for job_id, epoch, outcome in look.rows("select job_id, epoch, outcome from relet.attempt order by job_id, epoch"):
        found.setdefault(str(UUID(bytes=job_id)), []).append((epoch, outcome))
    return found
