"""What must hold of the rows of a store at any moment between two transactions, whatever was done to it.

I1 a job that was accepted is somewhere · I2 at most one end · I3, I4 claims are numbered without gap, and each left
exactly one trace · I5 a success was settled by a session · I8 a unique key stands for one job that has not ended ·
I10 what waits is counted right, and waits for something · I11 a job has exactly one pointer. I6 is in the
shape of the table: `running` has one row per job.
"""

import json
from collections import Counter, defaultdict
from typing import Any

from relet.job.after import satisfied
from tests.store.beds import Bed

LIVE = ("waiting", "scheduled", "ready", "running")
PLACES = (*LIVE, "dead", "finished")
_COMMON = "job_id, epoch"
_JOB = "id, task, queue, priority, options, needs"

Table = dict[bytes, dict[str, Any]]


def check_invariants(bed: Bed) -> None:
    """Raise AssertionError, saying which job breaks what."""
    found = _Found(bed)
    for job_id, job in found.jobs.items():
        where = [name for name in PLACES if job_id in found.places[name]]
        assert len(where) == 1, f"job {job_id.hex()} has pointers in {where or 'no table'} (I1, I11)"
        _check_claims(job_id, where[0], found.places[where[0]][job_id], found.attempts[job_id])
        if where[0] in LIVE:
            _check_copy(job_id, job, found.places[where[0]][job_id], where[0])
    for name, table in found.places.items():
        assert not table.keys() - found.jobs.keys(), f"{name} has rows of jobs that are gone (I11)"
    for name, owners in found.owners.items():
        assert not owners - found.jobs.keys(), f"{name} has rows of jobs that are gone"
    lost = [job_id.hex() for job_id, row in found.places["running"].items() if row["session_id"] not in found.sessions]
    assert not lost, f"running without a session: {lost}"
    _check_keys(found)
    _check_edges(found)
    _check_batches(found)
    _check_firings(found)
    _check_gates(found)


class _Found:
    """The rows of all tables."""

    def __init__(self, bed: Bed) -> None:
        selects = {"job": _JOB} | {name: _columns(name) for name in PLACES}
        left = ("attempt", "log_line", "usage", "control", "unique_key")
        (
            *tables,
            attempts,
            sessions,
            self.keys,
            self.edges,
            waiting,
            self.batches,
            self.members,
            self.firings,
            lined,
            self.slots,
            gates,
            rules,
        ) = bed.all_rows(
            [f"select {columns} from relet.{name}" for name, columns in selects.items()]
            + [f"select distinct job_id from relet.{name}" for name in left]
            + ["select job_id, epoch from relet.attempt order by job_id, epoch"]
            + ["select id from relet.session where ended_at is null"]
            + ["select scope, key, job_id from relet.unique_key"]
            + ["select child_id, parent_id, need, hold, outcome from relet.edge"]
            + ["select job_id, edges, told from relet.waiting"]
            + ["select id, total, open, succeeded, dead, cancelled, ended_at from relet.batch"]
            + ["select batch_id, job_id from relet.member"]
            + ["select schedule, due_at, job_id, outcome from relet.firing where job_id is not null"]
            + ["select job_id, limit_name, limit_key from relet.waiting where limit_name is not null"]
            + ["select limit_name, key, job_id from relet.slot where epoch >= 0"]
            + ["select limit_name, key, next_at, paused_until from relet.gate"]
            + ["select name, concurrency, rates, paused_until from relet.limit_rule"]
        )
        read = {
            name: {row[0]: dict(zip(columns.split(", "), row, strict=True)) for row in rows}
            for (name, columns), rows in zip(selects.items(), tables, strict=False)
        }
        self.jobs: Table = read.pop("job")
        self.places: dict[str, Table] = read
        self.owners = {name: {row[0] for row in rows} for name, rows in zip(left, tables[len(selects) :], strict=True)}
        self.waiting = {job_id: (count, told) for job_id, count, told in waiting}
        self.lined = {job_id: (name, key) for job_id, name, key in lined}
        self.gates = {(name, key): (next_at, paused) for name, key, next_at, paused in gates}
        self.rules = {name: row for name, *row in rules}
        self.sessions = {row[0] for row in sessions}
        self.attempts: dict[bytes, list[int]] = defaultdict(list)
        for job_id, epoch in attempts:
            self.attempts[job_id].append(epoch)


def _columns(name: str) -> str:
    if name in LIVE:
        task = "" if name == "running" else ", task, needs"
        extra = ", session_id" if name == "running" else ""
        return f"{_COMMON}, queue, rank, flags, attempt, crashes, suspicions, releases{task}{extra}"
    if name == "dead":
        return f"{_COMMON}, session_id, attempt, resolved"
    return f"{_COMMON}, outcome, session_id, started_at"


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


def _check_keys(found: _Found) -> None:
    """A key belongs to a job that has not ended and names it; and each such job has its key."""
    held = {job_id: (scope, key) for scope, key, job_id in found.keys}
    wanted = {
        job_id: (job["task"], key)
        for job_id, job in found.jobs.items()
        if (key := json.loads(job["options"] or "{}").get("unique")) is not None
        and any(job_id in found.places[name] for name in LIVE)
    }
    assert held == wanted, f"unique keys: held {held}, of live jobs {wanted} (I8)"
    for job_id in wanted:
        row = next(found.places[name][job_id] for name in LIVE if job_id in found.places[name])
        assert row["flags"] & 1, f"job {job_id.hex()} has a key and no flag for it (I8)"


def _check_edges(found: _Found) -> None:
    """A waiting job has as many open edges as it counts, and none of them leads to what has ended; what runs, or has
    succeeded, has none that is open, and its parents ended as it needs."""
    edges, waiting = found.edges, found.waiting
    open_batches = {row[0] for row in found.batches if row[-1] is None}
    open_edges: dict[bytes, int] = defaultdict(int)
    for child, parent, need, hold, outcome in edges:
        name = f"the edge {child.hex()} -> {parent.hex()}"
        if outcome is None:
            open_edges[child] += 1
            assert child in waiting, f"{name} is open, and its child does not wait (I10)"
            if waiting[child][1]:
                where = [place for place in PLACES if parent in found.places[place]]
                lives = parent in open_batches or where[:1] in ([p] for p in LIVE) or (hold and where == ["dead"])
                assert lives, f"{name} waits for what has ended (I10)"
                known = parent in open_batches or where == ["dead"] or found.places[where[0]][parent]["flags"] & 2
                assert known, f"{name} is not known to its parent (I10)"
        elif child in waiting or child in found.places["running"] or child in found.places["ready"]:
            assert satisfied(need, outcome), f"{name} was not as it needs ({outcome}), and it was not skipped (I10)"
    for child, (count, told) in waiting.items():
        assert count == open_edges[child], (
            f"waiting job {child.hex()} counts {count} of {open_edges[child]} edges (I10)"
        )
        assert count > 0 or not told or child in found.lined, f"job {child.hex()} waits for nothing (I10)"


def _check_batches(found: _Found) -> None:
    """A batch counts its jobs right, as long as none is forgotten."""
    members: dict[bytes, list[bytes]] = defaultdict(list)
    for batch, job_id in found.members:
        members[batch].append(job_id)
    for batch, total, count, succeeded, dead, cancelled, ended_at in found.batches:
        assert total == count + succeeded + dead + cancelled, f"batch {batch.hex()} does not add up"
        assert count > 0 or ended_at is not None, f"batch {batch.hex()} has ended and does not know it"
        if len(members[batch]) == total and all(job_id in found.jobs for job_id in members[batch]):
            where = [next(p for p in PLACES if job_id in found.places[p]) for job_id in members[batch]]
            live = sum(place in LIVE for place in where)
            assert (count, dead) == (live, where.count("dead")), f"batch {batch.hex()} counts wrong: {where}"


def _check_firings(found: _Found) -> None:
    """A firing has ended if its job has; each job of a schedule is that of one firing."""
    firings = found.firings
    assert len({job_id for _, _, job_id, _ in firings}) == len(firings), f"one job for two due times: {firings}"
    for schedule, due_at, job_id, outcome in firings:
        if job_id not in found.jobs:
            continue
        where = next(place for place in PLACES if job_id in found.places[place])
        assert (where in LIVE) == (outcome is None), f"{schedule} at {due_at}: {where}, and its firing says {outcome}"


def _check_gates(found: _Found) -> None:
    """A job with limits has a slot of each while it is ready or runs, and none otherwise; one that stands in line stands before
    one of its own, which is full, or knows when to look again."""
    slots: dict[bytes, set[tuple[str, str]]] = defaultdict(set)
    for name, key, job_id in found.slots:
        slots[job_id].add((name, key))
    passed = Counter(gate for held in slots.values() for gate in held)
    asked = {
        job_id: {(name, key) for name, key, _ in json.loads(job["options"] or "{}").get("gates", ())}
        for job_id, job in found.jobs.items()
    }
    for job_id, wanted in asked.items():
        out = job_id in found.places["ready"] or job_id in found.places["running"]
        held = slots.pop(job_id, set())
        assert held == (wanted if out else set()), f"job {job_id.hex()} has slots {held} and asks for {wanted}"
        where = [name for name in LIVE if job_id in found.places[name]]
        if wanted and where:
            assert found.places[where[0]][job_id]["flags"] & 4, f"job {job_id.hex()} has limits and no flag for them"
    assert not slots, f"slots of jobs that are gone: {slots}"
    for job_id, (name, key) in found.lined.items():
        what = f"job {job_id.hex()} stands before {name} {key}"
        assert (name, key) in asked[job_id], f"{what}, which is not its limit"
        assert (name, key) in found.gates, f"{what}, of which nobody knows"
        next_at, key_paused = found.gates[name, key]
        concurrency, rates, paused = found.rules.get(name, (1, "[]", None))
        if next_at is None and not (paused or key_paused or json.loads(rates)):
            most = 10**9 if concurrency is None else concurrency
            assert passed[name, key] >= most, f"{what}, where there is room, and nobody will look"
