"""What `doctor` looks at in routines and schedules, and in limits: that somebody fires them, runs them, and holds to them."""

from __future__ import annotations

from collections.abc import Sequence

from relet.cli.findings import Findings, Patient, bad, note, ok, warning
from relet.cli.parser import near
from relet.clock import SECOND
from relet.errors import UsageError
from relet.job.duration import format_us
from relet.job.gates import FOREVER
from relet.job.surroundings import LiveWorker
from relet.job.why_schedule import able_to_run, nobody_runs
from relet.shapes.records import text_of
from relet.shapes.schema import FindingOut, QueueOut, WorkerOut
from relet.shapes.words import plural
from relet.store.rows import ScheduleRow

OVERDUE_US = 60 * SECOND
"""Any worker looks each second: what is due for longer is looked at by nobody."""
SHOWN = 10
"""Findings of one kind; more are counted."""


def check_schedules(patient: Patient) -> Findings:
    """Each is fired, can be run, and is not disabled by its failures."""
    rows = patient.insights.schedules()
    workers = [_live(worker) for worker in patient.workers if worker["state"] == "live"]
    acting = [row for row in rows if row.disabled_at is None and row.paused_at is None]
    if acting and not workers:
        yield note("schedules", f"nobody fires {_count(acting)}: no worker is running", "relet worker")
    found = [
        *_first([_disabled(row) for row in rows if row.disabled_by == "relet"], "disabled by failures"),
        *_first([_unreadable(row) for row in acting if row.unreadable], "of a later version"),
        *_first(_unreckonable(acting), "not to be reckoned here"),
        *(_with_workers(acting, workers, patient.now) if workers else ()),
    ]
    yield from found
    if workers and rows and not found:
        yield ok("schedules", f"{_count(rows)}: fired, and with workers that can run them")


def _count(rows: Sequence[ScheduleRow]) -> str:
    return plural(len(rows), "routine or schedule", "routines and schedules")


def _with_workers(acting: Sequence[ScheduleRow], workers: Sequence[LiveWorker], now: int) -> Findings:
    yield from _first([_overdue(row, now) for row in acting if now - (row.due_at or now) > OVERDUE_US], "overdue")
    alone = [row for row in acting if not row.unreadable and not able_to_run(row.definition, workers)]
    yield from _first([_alone(row, workers) for row in alone], "without a worker that can run them")


def _first(found: Sequence[FindingOut], kind: str) -> Findings:
    yield from found[:SHOWN]
    if len(found) > SHOWN:
        yield note("schedules", f"{len(found) - SHOWN} more are {kind}", "relet routines ls; relet schedules ls")


def _title(row: ScheduleRow) -> str:
    return f"{row.definition.kind} {row.definition.name}"


def _steer(row: ScheduleRow, verb: str) -> str:
    return f"relet {row.definition.kind}s {verb} {row.definition.name}"


def _disabled(row: ScheduleRow) -> FindingOut:
    error = f" ({(text_of(row.error) or '').strip().partition(chr(10))[0]})" if row.error else ""
    return warning(
        "schedules", f"{_title(row)} is disabled: {row.disable_reason}{error}", f"mend it; then {_steer(row, 'enable')}"
    )


def _unreadable(row: ScheduleRow) -> FindingOut:
    return warning("schedules", f"{_title(row)} was written by a later version", "install that version on all hosts")


def _unreckonable(rows: Sequence[ScheduleRow]) -> list[FindingOut]:
    found: list[FindingOut] = []
    for row in rows:
        try:
            if row.definition.rule is not None:
                row.definition.rule.next_after(0)
        except UsageError as error:
            said = f"{_title(row)} cannot be reckoned on this host: {error}"
            found.append(warning("schedules", said, "install time zone data (tzdata) on the hosts of your workers"))
    return found


def _overdue(row: ScheduleRow, now: int) -> FindingOut:
    late = format_us(now - (row.due_at or now))
    return bad(
        "schedules", f"{_title(row)} was due {late} ago, and nobody has fired it", f"relet why {row.definition.name}"
    )


def _alone(row: ScheduleRow, workers: Sequence[LiveWorker]) -> FindingOut:
    said = f"{_title(row)}: {nobody_runs(row.definition, workers)}"
    return bad("schedules", said, f"relet worker -q {row.definition.queue}; or {_steer(row, 'disable')}")


def _live(worker: WorkerOut) -> LiveWorker:
    sets = (frozenset(worker["queues"]), frozenset(worker["tasks"]), frozenset(worker["offers"]))
    return LiveWorker(worker["worker"], *sets, slots=worker["slots"], held=worker["running"])


def check_limits(patient: Patient) -> Findings:
    """Each limit of a queue is one that somebody uses: one that is misspelled holds nobody. Jobs in line before a limit by name
    and key are let in some time."""
    for limit in patient.insights.limits():
        if limit.waiting and not limit.origin:
            found = f"{_wait(limit.waiting)} before limit {limit.name}, of which nobody has said what it is"
            advice = f"start a worker of the app that declares it; or relet limits set {limit.name} …"
            yield bad("limits", found, advice)
        elif limit.waiting and limit.paused_until is not None and limit.paused_until >= FOREVER:
            found = (
                f"limit {limit.name} is paused by {limit.changed_by}, with no end, and {_wait(limit.waiting)} before it"
            )
            yield warning("limits", found, f"relet limits resume {limit.name}")
    named = {name for worker in patient.workers for name in worker["queues"]} - {"*"}
    used = {queue["name"] for queue in patient.queues if _used(queue)} | named
    for queue in patient.queues:
        meant = near(queue["name"], used) if queue["limit"] and queue["name"] not in used else None
        if meant:
            found = f"queue {queue['name']} is limited by {queue['limited_by']}, and no job is in it; {meant} has jobs or workers"
            yield warning("limits", found, f"if {meant} was meant: relet queues limit {meant} …")


def _wait(count: int) -> str:
    return f"{plural(count, 'job')} {'waits' if count == 1 else 'wait'}"


def _used(queue: QueueOut) -> bool:
    return any((queue["ready"], queue["running"], queue["scheduled"], queue["dead"]))
