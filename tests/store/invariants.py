"""What must hold of the rows of a store at any moment between two transactions, whatever was done to it.

I1 a job that was accepted is somewhere · I2 at most one end · I3, I4 claims are numbered without gap, and each left
exactly one trace · I5 a success was settled by a session · I8 a unique key stands for one job that has not ended ·
I11 a job has exactly one pointer. I6 is in the shape of the table: `running` has one row per job.
"""

import json
from collections import defaultdict
from typing import Any

from tests.store.beds import Bed

LIVE = ("scheduled", "ready", "running")
PLACES = (*LIVE, "dead", "finished")
_COMMON = "job_id, epoch"

Table = dict[bytes, dict[str, Any]]


def check_invariants(bed: Bed) -> None:
    """Raise AssertionError, saying which job breaks what."""
    jobs = _table(bed, "job", "id, task, queue, priority, options, needs")
    places = {name: _table(bed, name, _columns(name)) for name in PLACES}
    attempts: dict[bytes, list[int]] = defaultdict(list)
    for job_id, epoch in bed.rows("select job_id, epoch from relet.attempt order by job_id, epoch"):
        attempts[job_id].append(epoch)
    for job_id, job in jobs.items():
        found = [name for name in PLACES if job_id in places[name]]
        assert len(found) == 1, f"job {job_id.hex()} has pointers in {found or 'no table'} (I1, I11)"
        _check_claims(job_id, found[0], places[found[0]][job_id], attempts[job_id])
        if found[0] in LIVE:
            _check_copy(job_id, job, places[found[0]][job_id], found[0])
    for name, table in places.items():
        assert not table.keys() - jobs.keys(), f"{name} has rows of jobs that are gone (I11)"
    _check_leftovers(bed, jobs)
    _check_running(bed, places["running"])
    _check_keys(bed, jobs, places)


def _columns(name: str) -> str:
    if name in LIVE:
        task = "" if name == "running" else ", task, needs"
        extra = ", session_id" if name == "running" else ""
        return f"{_COMMON}, queue, rank, flags, attempt, crashes, suspicions, releases{task}{extra}"
    if name == "dead":
        return f"{_COMMON}, session_id, attempt, resolved"
    return f"{_COMMON}, outcome, session_id, started_at"


def _table(bed: Bed, name: str, columns: str) -> Table:
    names = columns.split(", ")
    return {row[0]: dict(zip(names, row, strict=True)) for row in bed.rows(f"select {columns} from relet.{name}")}


def _check_claims(job_id: bytes, place: str, row: dict[str, Any], attempts: list[int]) -> None:
    """Claims are numbered 1, 2, 3 …; each that ended left an `attempt`, but for the one that succeeded."""
    open_or_won = place == "running" or row.get("outcome") == "succeeded"
    ended = row["epoch"] - 1 if open_or_won else row["epoch"]
    assert attempts == list(range(1, ended + 1)), (
        f"job {job_id.hex()} ({place}, epoch {row['epoch']}) has ended claims {attempts} (I3, I4)"
    )
    if row.get("outcome") == "succeeded":
        assert row["session_id"] is not None, f"job {job_id.hex()} succeeded in no session (I5)"
        assert row["started_at"] is not None, f"job {job_id.hex()} succeeded without a claim (I5)"
    if place in LIVE:
        assert row["attempt"] + row["crashes"] + row["releases"] <= ended, f"job {job_id.hex()} counts too much (I4)"


def _check_copy(job_id: bytes, job: dict[str, Any], row: dict[str, Any], place: str) -> None:
    """What a pointer repeats of its job is true."""
    assert (row["queue"], row["rank"]) == (job["queue"], -job["priority"]), f"job {job_id.hex()} is in a wrong lane"
    if place != "running":
        assert (row["task"], row["needs"]) == (job["task"], job["needs"]), f"job {job_id.hex()} is mislabelled"


def _check_leftovers(bed: Bed, jobs: Table) -> None:
    for name in ("attempt", "log_line", "usage", "control", "unique_key"):
        owners = {row[0] for row in bed.rows(f"select distinct job_id from relet.{name}")}
        assert not owners - jobs.keys(), f"{name} has rows of jobs that are gone"


def _check_running(bed: Bed, running: Table) -> None:
    live = {row[0] for row in bed.rows("select id from relet.session where ended_at is null")}
    lost = [job_id.hex() for job_id, row in running.items() if row["session_id"] not in live]
    assert not lost, f"running without a session: {lost}"


def _check_keys(bed: Bed, jobs: Table, places: dict[str, Table]) -> None:
    """A key belongs to a job that has not ended and names it; and each such job has its key."""
    held = {job_id: (scope, key) for scope, key, job_id in bed.rows("select scope, key, job_id from relet.unique_key")}
    wanted = {
        job_id: (job["task"], key)
        for job_id, job in jobs.items()
        if (key := json.loads(job["options"] or "{}").get("unique")) is not None
        and any(job_id in places[name] for name in LIVE)
    }
    assert held == wanted, f"unique keys: held {held}, of live jobs {wanted} (I8)"
    for job_id in wanted:
        row = next(places[name][job_id] for name in LIVE if job_id in places[name])
        assert row["flags"] & 1, f"job {job_id.hex()} has a key and no flag for it (I8)"
