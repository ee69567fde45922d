"""`relet schedules`: added, changed, listed, made up for and deleted by command line."""

from __future__ import annotations

from datetime import UTC, datetime

from relet.cli.table import Style
from relet.cli.views import BY_LETTER
from relet.clock import HOUR, SECOND
from relet.shapes import schema
from relet.shapes.schedules import FiringOut, ScheduleOut
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms
from tests.cli.test_routines import declare


def put(cli: Cli, *more: str, name: str = "hourly", every: str = "1h") -> None:
    assert cli("schedules", "upsert", name, "mail", "to=ann", "--every", every, "--by-name", *more).status == 0


def test_upsert_adds_changes_and_says_when_nothing_changes(cli: Cli, shop: Shop) -> None:
    rule = ("schedules", "upsert", "morning", "mail", "to=ann", "n:=3", "--by-name", "--cron", "0 6 * * *")
    added = cli(*rule, "--tz", "Europe/Oslo", "--overlap", "queue", "--catchup", "3", "--queue", "slow", "--json")
    (row,) = added.json["schedules"]
    assert conforms(row, ScheduleOut)
    assert (row["rule"], row["queue"], row["args"]) == (
        "at 06:00 every day, Europe/Oslo",
        "slow",
        {"to": "ann", "n": 3},
    )
    assert (added.json["changed"], "added morning" in added.err) == (True, True)
    found = shop.store.insights.schedule("morning")
    assert found is not None
    assert found.definition.rule is not None
    assert (found.definition.overlap, found.definition.rule.catchup) == ("queue", 3)

    assert "changed morning" in cli(*rule).err
    again = cli(*rule, "--json")
    assert (again.json["changed"], "it is so already" in again.err) == (False, True)


def test_upsert_says_what_is_wrong(cli: Cli, shop: Shop) -> None:
    declare(shop)
    call = ("mail", "--by-name")
    assert "--every --cron is required" in cli("schedules", "upsert", "x", *call).err
    assert "neither skip, nor latest" in cli("schedules", "upsert", "x", *call, "--every", "1h", "--catchup", "all").err
    refused = cli("schedules", "upsert", "fetch", *call, "--every", "1h")
    assert (refused.status, "'fetch', which code declares" in refused.err) == (4, True)
    assert cli("schedules", "ls", "--json").json["schedules"] == []


def test_schedules_and_routines_are_listed_apart(cli: Cli, shop: Shop) -> None:
    assert "nobody has added a schedule" in cli("schedules", "ls").err
    declare(shop)
    put(cli)
    assert [row["name"] for row in cli("routines", "ls", "--json").json["routines"]] == ["fetch", "process"]
    (row,) = cli("schedules", "ls", "--json").json["schedules"]
    assert (row["name"], conforms(row, ScheduleOut)) == ("hourly", True)
    wrong = cli("schedules", "pause", "fetch")
    assert (wrong.status, "'fetch' is a routine, not a schedule" in wrong.err) == (3, True)


def test_steering_and_history(cli: Cli, shop: Shop) -> None:
    put(cli)
    job = cli("schedules", "trigger", "hourly", "--json").json["job_id"]
    refused = cli("schedules", "trigger", "hourly")
    assert (refused.status, "relet schedules trigger hourly --force" in refused.err) == (4, True)
    (firing,) = cli("schedules", "history", "hourly", "--json").json["history"]
    assert (firing["job_id"], conforms(firing, FiringOut)) == (job, True)
    assert "to" in cli("schedules", "show", "hourly").out
    assert "paused by" in cli("schedules", "pause", "hourly", "--reason", "quiet").out
    assert ": quiet" in cli("schedules", "ls").out
    assert "resumed 1 schedule" in cli("schedules", "resume", "hourly").err
    put(cli, name="other")
    missing = cli("schedules", "delete", "other", "nobody")
    assert (missing.status, shop.store.insights.schedule("other") is not None) == (3, True)
    delete = ("schedules", "delete", "other", "hourly")
    assert "would delete 2 schedules with their history: other, hourly" in cli(*delete, "--dry-run").err
    assert cli(*delete, "--no-input").status == 2
    assert "deleted 2 schedules" in cli(*delete, "--yes").err
    assert shop.store.insights.schedules() == []


def test_a_backfill_counts_first_and_makes_each_run_once(cli: Cli, shop: Shop) -> None:
    rule = ("--cron", "* * * * *", "--overlap", "allow", "--by-name")
    assert cli("schedules", "upsert", "often", "mail", *rule).status == 0
    shop.store.pause_schedule("often", "ann", "")
    end = shop.store.now()
    span = [datetime.fromtimestamp(at / SECOND, UTC).isoformat() for at in (end - HOUR, end)]
    backfill = ("schedules", "backfill", "often", *span)

    dry = cli(*backfill, "--dry-run", "--json")
    assert (dry.json["runs"], "would make 60 runs of often" in dry.err) == (60, True)
    due_at = [made["due_at"] for made in dry.json["jobs"]]
    assert (len(due_at), due_at == sorted(due_at), {made["job_id"] for made in dry.json["jobs"]}) == (60, True, {None})
    assert len(cli(*backfill, "--dry-run", "--limit", "7").rows) == 7
    assert cli(*backfill, "--dry-run", "--limit", "7", "--json").json["runs"] == 7
    assert cli(*backfill, "--no-input").status == 2
    assert shop.store.insights.firings("often") == []

    some = cli(*backfill, "--yes", "--limit", "7", "--json").json
    assert (len(some["jobs"]), some["next"] is None) == (7, False)
    assert [made["due_at"] for made in some["jobs"]] == due_at[:7]
    rest = cli(*backfill, "--yes", "--json").json
    assert (rest["runs"], rest["next"]) == (53, None)
    assert "no due time in between is without a run" in cli(*backfill, "--yes").err
    later = datetime.fromtimestamp((end + HOUR) / SECOND, UTC).isoformat()
    ahead = cli("schedules", "backfill", "often", span[0], later)
    assert (ahead.status, "a later one that has passed" in ahead.err) == (2, True)


def test_why_knows_schedules_routines_and_jobs(cli: Cli, shop: Shop) -> None:
    declare(shop)
    put(cli)
    said = cli("why", "fetch", "--json").json
    assert (said["routine"], said["state"]) == ("fetch", "idle")
    assert "was due at" in said["why"][0]
    assert "waits for fetch (idle)" not in said["why"][0]
    assert "fetch (idle)" in cli("why", "process").out
    shop.store.disable_schedule("hourly", "ann", "password=hunter2")
    held = cli("why", "hourly").out
    assert "relet schedules enable hourly" in held
    assert "hunter2" not in held
    job = cli("routines", "trigger", "fetch", "--json").json["job_id"]
    for known in (job, job[:13]):
        said = cli("why", known, "--json").json
        assert (said["id"], said["state"]) == (job, "ready")
        assert "Schedule fetch made it" in said["why"][-1]
    wrong = cli("why", "fetsch")
    assert (wrong.status, "Did you mean 'fetch'?" in wrong.err) == (3, True)
    assert cli("why", "01234567").status == 3


def test_the_overview_counts_them_and_names_those_that_failures_have_disabled(cli: Cli, shop: Shop) -> None:
    assert "routine" not in cli("status").out
    declare(shop)
    for name in ("a", "b"):
        put(cli, name=name)
    shop.store.disable_schedule("a", "relet", "its last run failed")
    shop.store.disable_schedule("b", "ann", "enough")
    shop.store.pause_schedule("fetch", "ann", "")
    shop.store.pause_schedule("b", "ann", "")
    found = cli("status", "--json").json
    assert conforms(found["schedules"], schema.ScheduleCountsOut)
    assert found["schedules"] == {"total": 4, "disabled": 2, "paused": 1, "waiting": 0}
    assert found["problems"] == [
        {"what": "schedule a is disabled: its last run failed", "next": "relet schedules enable a"}
    ]
    assert "4 routines and schedules, 2 disabled, 1 paused" in cli("status").out


def test_top_shows_routines_and_schedules(cli: Cli, shop: Shop) -> None:
    declare(shop)
    put(cli)
    view = BY_LETTER["r"]
    rows, columns = view.rows(shop.store), view.columns(shop.store.now(), Style(False, False))
    assert [[column.text(row) for column in columns][:2] for row in rows] == [
        ["fetch", "idle"],
        ["hourly", "idle"],
        ["process", "idle"],
    ]
