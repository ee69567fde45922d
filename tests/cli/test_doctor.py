"""`relet doctor` finds what is wrong and says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relet.cli import checks_host
from relet.cli.checks_jobs import check_dead, check_queues, check_stuck, check_workers
from relet.cli.checks_schedules import SHOWN, check_limits, check_schedules
from relet.cli.checks_store import check_clock, check_engine, check_postgres
from relet.cli.findings import Patient
from relet.clock import HOUR, SECOND
from relet.job.job import NewJob, Options
from relet.job.limits import rule_of
from relet.job.recurrence import Recurrence
from relet.job.schedule import Kind, Mode, Schedule
from relet.settings import Settings
from relet.shapes import schema
from relet.shapes.records import queue_out, worker_out
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms


def patient(shop: Shop, later: int = 0, **facts: Any) -> Patient:
    """The store as it is, looked at some time later."""
    insights = shop.store.insights
    health = {**insights.health(), **facts.pop("health", {})}
    return Patient(
        settings=Settings.load({"url": shop.url}, env={}),
        insights=insights,
        health=health,
        now=shop.store.now() + later,
        skew_us=facts.get("skew_us", 0),
        slack_us=facts.get("slack_us", 0),
        queues=[queue_out(row) for row in insights.queues()],
        workers=[worker_out(row) for row in insights.sessions()],
    )


def levels(findings: Any) -> dict[str, str]:
    return {finding["check"]: finding["level"] for finding in findings}


def test_a_healthy_store_is_healthy(cli: Cli, shop: Shop) -> None:
    ran = cli("doctor", "--json")
    assert ran.status == 0
    assert ran.json["healthy"] is True
    assert all(conforms(finding, schema.FindingOut) for finding in ran.json["findings"])
    found = {finding["check"]: finding["found"] for finding in ran.json["findings"]}
    assert found["durability"] == "journal_mode = wal, synchronous = full"
    assert found["engine"].startswith("sqlite 3.")
    checks = {finding["check"] for finding in ran.json["findings"]}
    assert {"python", "sqlite library", "disk", "file system", "fsync", "schema", "clock", "store", "workers"} <= checks


def test_every_finding_that_is_not_fine_says_what_to_do(cli: Cli, shop: Shop) -> None:
    shop.add(queue="email")
    shop.store.end_session(shop.session, "test")
    shop.open_session("other", queues=("other",))
    ran = cli("doctor", "--json")
    assert ran.status == 6
    assert ran.json["healthy"] is False
    for finding in ran.json["findings"]:
        assert finding["next"] or finding["level"] in ("ok", "note")
    assert "relet worker -q email" in cli("doctor").out


def test_an_unreachable_store_ends_with_status_5(cli: Cli) -> None:
    ran = cli("doctor", "--url", "postgresql://127.0.0.1:1/none")
    assert ran.status == 5
    assert "bad" in ran.out
    assert cli("jobs", "ls", "--url", "postgresql://127.0.0.1:1/none").status == 5


def test_a_file_that_is_not_there_yet_is_found(cli: Cli, tmp_path: Path) -> None:
    ran = cli("doctor", "--url", "sqlite:///none.db")
    assert ran.status == 6
    assert "relet migrate makes it" in ran.out
    assert not (tmp_path / "none.db").exists()
    assert cli("doctor", "--url", "sqlite:////nowhere/at/all.db").status == 6


def test_old_work_and_lapsed_leases_are_found(shop: Shop) -> None:
    shop.run(queue="a")
    shop.add(queue="b")
    shop.die(queue="c")
    assert levels(check_queues(patient(shop))) == {"queues": "ok"}
    assert levels(check_queues(patient(shop, HOUR))) == {"queues": "warning"}
    assert levels(check_stuck(patient(shop))) == {"stuck jobs": "ok"}
    assert levels(check_dead(patient(shop))) == {"dead letters": "note"}
    assert levels(check_dead(patient(shop, 240 * HOUR))) == {"dead letters": "warning"}
    assert levels(check_workers(patient(shop))) == {"workers": "ok"}


@pytest.mark.parametrize(
    ("skew_us", "slack_us", "level"),
    [(0, 0, "ok"), (5 * SECOND, 0, "warning"), (-5 * SECOND, 0, "warning"), (5 * SECOND, 5 * SECOND, "ok")],
)
def test_clock_skew_is_judged_by_what_can_be_known(shop: Shop, skew_us: int, slack_us: int, level: str) -> None:
    assert levels(check_clock(patient(shop, skew_us=skew_us, slack_us=slack_us))) == {"clock": level}


@pytest.mark.parametrize(
    ("version", "level"),
    [("3.6.23", "ok"), ("3.7.0", "bad"), ("3.45.1", "bad"), ("3.51.2", "bad"), ("3.51.3", "ok"), ("3.54.1", "ok")],
)
def test_sqlite_versions_that_can_corrupt_a_file_are_found(
    monkeypatch: pytest.MonkeyPatch, version: str, level: str
) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version", version)
    settings = Settings.load({"url": "sqlite+stdlib:///x.db"}, env={})
    assert levels(checks_host.check_sqlite_library(settings)) == {"sqlite library": level}


@pytest.mark.usefixtures("fresh_modules")
def test_an_app_that_is_named_is_looked_at(cli: Cli, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "relet.toml").write_text('app = "tasks"')
    (tmp_path / "tasks.py").write_text(
        "from relet import App\napp = App()\n"
        "@app.task(timeout='1m')\ndef a() -> None: ...\n@app.task\ndef b() -> None: ...\n"
    )
    found = {one["check"]: one for one in cli("doctor", "--json").json["findings"]}
    assert found["app"]["found"].startswith("tasks:app")
    assert found["timeouts"]["found"] == "1 task may run for ever: tasks.b"
    (tmp_path / "relet.toml").write_text('app = "other"')
    ran = cli("doctor", "--json")
    assert ran.status == 6
    assert {one["check"]: one["level"] for one in ran.json["findings"]}["app"] == "bad"


def test_what_postgres_says_is_judged(shop: Shop) -> None:
    def judged(check: Any, **health: Any) -> dict[str, str]:
        return levels(check(patient(shop, health=health)))

    assert judged(check_postgres, listen=True)["wake-ups"] == "ok"
    assert judged(check_postgres, listen=False)["wake-ups"] == "warning"
    assert judged(check_postgres, pooled=True)["pooler"] == "note"
    assert judged(check_postgres, missing_privileges=("delete on ready",))["privileges"] == "bad"
    assert judged(check_postgres, connections=98, max_connections=100)["connections"] == "warning"
    assert judged(check_postgres, connections=8, max_connections=100)["connections"] == "ok"
    assert judged(check_postgres, oldest_transaction_us=2 * HOUR)["transactions"] == "warning"
    assert judged(check_engine, engine="postgresql", read_only=True)["engine"] == "bad"
    assert judged(check_engine, durable=False, durability="synchronous=normal")["durability"] == "warning"


def put(shop: Shop, name: str, **fields: Any) -> None:
    about = {"task": "mail", "rule": Recurrence.of(every="1h"), **fields}
    shop.store.put_schedule(Schedule(name=name, kind=Kind.SCHEDULE, mode=Mode.SCHEDULED, **about), "ann")


def found(shop: Shop, later: int = 0) -> list[tuple[str, str]]:
    return [(finding["level"], finding["found"]) for finding in check_schedules(patient(shop, later))]


def test_schedules_that_go_well_are_counted(shop: Shop) -> None:
    assert found(shop) == []
    put(shop, "hourly")
    assert found(shop) == [("ok", "1 routine or schedule: fired, and with workers that can run them")]


def test_schedules_that_nobody_fires_or_runs_are_told_of(shop: Shop) -> None:
    put(shop, "hourly")
    put(shop, "render", task="render", queue="gpu")
    put(shop, "held", task="render")
    shop.store.pause_schedule("held", "ann", "")
    assert [level for level, _ in found(shop)] == ["bad"]
    assert "schedule render: No live worker of queue gpu knows task render" in found(shop)[0][1]
    late = dict(reversed(line) for line in found(shop, 5 * 60 * SECOND))
    assert late["schedule hourly was due 5m ago, and nobody has fired it"] == "bad"
    shop.store.end_session(shop.session, "test")
    assert found(shop, 5 * 60 * SECOND) == [
        ("note", "nobody fires 2 routines and schedules: no worker is running"),
    ]


def test_schedules_that_failures_have_disabled_are_told_of_up_to_some(shop: Shop) -> None:
    for number in range(SHOWN + 2):
        put(shop, f"s{number:02}")
        shop.store.disable_schedule(f"s{number:02}", "relet", "its last 5 runs failed")
    put(shop, "by-ann")
    shop.store.disable_schedule("by-ann", "ann", "enough")
    told = [*check_schedules(patient(shop))]
    assert len(told) == SHOWN + 1
    assert (told[0]["level"], told[0]["found"]) == ("warning", "schedule s00 is disabled: its last 5 runs failed")
    assert told[0]["next"] == "mend it; then relet schedules enable s00"
    assert told[-1]["found"] == "2 more are disabled by failures"


def test_a_limit_whose_queue_is_misspelled_is_told_of(shop: Shop) -> None:
    shop.add(queue="email")
    shop.store.limit_queue("emial", rule_of(concurrency=3), "ann")
    shop.store.limit_queue("email", rule_of(concurrency=3), "ann")
    shop.store.limit_queue("render", rule_of(concurrency=3), "ann")
    (told,) = check_limits(patient(shop))
    assert told["found"] == "queue emial is limited by ann, and no job is in it; email has jobs or workers"


def test_jobs_that_wait_before_a_limit_that_nobody_will_open_are_told_of(shop: Shop) -> None:
    shop.store.set_limit("quiet", rule_of(concurrency=3), "ann")
    for name in ("quiet", "unknown"):
        job = NewJob(shop.ids.job(), "mail", options=Options(gates=((name, "", 1),)))
        shop.store.pause_limit(name, None, None, "ann")
        shop.store.enqueue([job])
    paused, unknown = check_limits(patient(shop))
    assert (paused["level"], unknown["level"]) == ("warning", "bad")
    assert paused["found"] == "limit quiet is paused by ann, with no end, and 1 job waits before it"
    assert paused["next"] == "relet limits resume quiet"
    assert unknown["found"] == "1 job waits before limit unknown, of which nobody has said what it is"
