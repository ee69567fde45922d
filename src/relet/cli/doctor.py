"""`relet doctor`: checks the store, the host and the jobs, and says what to do. Exit status 6 when something is wrong."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence

from relet.cli.checks_app import check_app
from relet.cli.checks_host import check_disk, check_python, check_sqlite_library
from relet.cli.checks_jobs import check_breakers, check_dead, check_queues, check_stuck, check_workers
from relet.cli.checks_schedules import check_limits, check_schedules
from relet.cli.checks_store import check_clock, check_engine, check_postgres
from relet.cli.exits import Exit, tell
from relet.cli.findings import Findings, Patient, bad, ok
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags, add_store_flags
from relet.cli.safe import safe
from relet.cli.target import resolved, sqlite_file
from relet.clock import Clock, SystemClock
from relet.errors import ReletError
from relet.job.duration import format_us
from relet.settings import Settings
from relet.shapes import records
from relet.shapes.schema import FindingOut
from relet.shapes.words import plural
from relet.store.port import Store
from relet.store.schema import look

_SHOWN = {
    "ok": ("✓", "ok", "32"),
    "note": ("·", "note", "2"),
    "warning": ("!", "warning", "33"),
    "bad": ("✕", "bad", "31"),
}

_STORE_CHECKS = (
    check_engine,
    check_postgres,
    check_clock,
    check_workers,
    check_queues,
    check_breakers,
    check_stuck,
    check_dead,
    check_schedules,
    check_limits,
)


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.add_argument("--strict", action="store_true", help="warnings make the exit status 6 too")
    add_store_flags(parser)
    add_output_flags(parser)


def run(args: Namespace, out: Output) -> int:
    settings, clock = resolved(args, out), SystemClock()
    findings = [*check_python(), *check_sqlite_library(settings), *check_disk(settings, clock), *check_app(settings)]
    status = Exit.OK
    try:
        findings += _check_store(settings, clock)
    except ReletError as error:
        told = tell(error)
        advice = "relet migrate" if told.status is Exit.REFUSED else "start it, or correct the URL"
        findings.append(bad("store", told.lines[0], f"{advice} (from: {settings.source('url')})"))
        status = told.status
    _print(findings, settings, out)
    levels = {finding["level"] for finding in findings}
    unhealthy = "bad" in levels or (args.strict and "warning" in levels)
    return status or (Exit.UNHEALTHY if unhealthy else Exit.OK)


def _check_store(settings: Settings, clock: Clock) -> Iterator[FindingOut]:
    from relet.store.open import open_store

    file = sqlite_file(settings.url)
    if file is not None and not file.exists():
        yield bad("store", f"there is no file {file} yet", "relet migrate makes it")
        return
    yield from _check_schema(settings)
    store = open_store(settings.url)
    try:
        patient = _examine(store, settings, clock)
        yield ok("store", f"{store.url} answers within {format_us(patient.slack_us)}")
        for check in _STORE_CHECKS:
            yield from check(patient)
    finally:
        store.close()


def _check_schema(settings: Settings) -> Findings:
    state = look(settings.url)
    if state.pending:
        yield bad("schema", f"version {state.version}; this program needs {state.newest}", "relet migrate")
    elif not state.usable:
        yield bad("schema", f"version {state.version} was made by a newer Relet", "install that one here")
    else:
        yield ok("schema", f"version {state.version}")


def _examine(store: Store, settings: Settings, clock: Clock) -> Patient:
    sent, began = clock.now(), clock.steady()
    now = store.now()
    slack = clock.steady() - began
    insights = store.insights
    return Patient(
        settings=settings,
        insights=insights,
        health=insights.health(),
        now=now,
        skew_us=now - (sent + slack // 2),
        slack_us=slack,
        queues=[records.queue_out(row) for row in insights.queues()],
        workers=[records.worker_out(row) for row in insights.sessions()],
    )


def _print(findings: Sequence[FindingOut], settings: Settings, out: Output) -> None:
    worst = [finding for finding in findings if finding["level"] == "bad"]
    if out.form == "text":
        for line in _lines(findings, out):
            out.line(line)
        warnings = sum(finding["level"] == "warning" for finding in findings)
        out.say(f"{plural(len(findings), 'check')}: {len(worst)} bad, {plural(warnings, 'warning')}")
    else:
        out.records("findings", findings, (), url=settings.shown_url, healthy=not worst)


def _lines(findings: Sequence[FindingOut], out: Output) -> Iterator[str]:
    room = max(len(finding["check"]) for finding in findings)
    for finding in findings:
        glyph, word, colour = _SHOWN[finding["level"]]
        mark = out.style.paint(f"{glyph if out.style.glyphs else word:<{1 if out.style.glyphs else 7}}", colour)
        yield f"{mark} {finding['check'].ljust(room)}  {safe(finding['found'])}"
        if finding["next"]:
            yield f"{' ' * (room + (4 if out.style.glyphs else 10))}→ {safe(finding['next'])}"
