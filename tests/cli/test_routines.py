"""`relet routines`: what is listed, and how they are steered."""

from __future__ import annotations

from relet.job.outcome import Ended
from relet.job.recurrence import Recurrence
from relet.job.schedule import Kind, Mode, Schedule
from relet.job.settlement import DeadReason
from relet.job.state import State
from relet.shapes.schedules import FiringOut, RoutineOut
from relet.store.records import Lane, Notes, Want
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms


def declare(shop: Shop) -> None:
    hourly = Recurrence.of(every="1h")
    shop.store.declare_schedules(
        [
            Schedule(name="fetch", kind=Kind.ROUTINE, mode=Mode.SCHEDULED, task="mail", rule=hourly, max_failures=1),
            Schedule(name="process", kind=Kind.ROUTINE, mode=Mode.TRIGGERED, task="mail", depends_on=("fetch",)),
        ],
        "worker-1",
    )


def next_of(name: str, cli: Cli) -> str:
    """When it is due, as `show` says it."""
    (line,) = (line for line in cli("routines", "show", name).out.splitlines() if line.startswith("next"))
    return line.removeprefix("next").strip()


def test_ls_and_show(cli: Cli, shop: Shop) -> None:
    assert "no worker has declared a routine" in cli("routines", "ls").err
    declare(shop)
    assert next_of("fetch", cli).endswith(" ago")
    (firing,) = shop.store.fire_due(shop.ids.jobs, 10).fired
    assert next_of("fetch", cli).startswith("in ")

    found = cli("routines", "ls", "--json").json["routines"]
    assert [(row["name"], row["state"], row["rule"]) for row in found] == [
        ("fetch", "queued", "every hour"),
        ("process", "idle", ""),
    ]
    assert all(conforms(row, RoutineOut) for row in found)
    shown = cli("routines", "show", "fetch", "--json").json
    assert [row["job_id"] is not None for row in shown["history"]] == [True]
    assert all(conforms(row, FiringOut) for row in shown["history"])
    assert (shown["routine"]["queued"], shown["routine"]["running"]) == ([shown["history"][0]["job_id"]], [])
    assert "has not ended" in cli("routines", "show", "fetch").out
    assert firing.schedule == "fetch"

    wrong = cli("routines", "show", "fetsch")
    assert (wrong.status, "Did you mean 'fetch'?" in wrong.err) == (3, True)


def test_a_failure_disables_and_a_person_enables(cli: Cli, shop: Shop) -> None:
    declare(shop)
    shop.store.fire_due(shop.ids.jobs, 10)
    want = Want(1, (Lane("default", -1),), ("mail",))
    (claim,) = shop.store.turn(shop.session, (), Notes(), want).claims
    shop.end(claim, State.DEAD, Ended.REJECT, error="no disk", dead_reason=DeadReason.REJECTED)

    assert cli("routines", "ls", "--json").json["routines"][0]["state"] == "disabled"
    assert "by relet: its last run failed" in cli("routines", "ls").out
    refused = cli("routines", "trigger", "fetch")
    assert refused.status == 4
    assert "it is disabled by relet" in refused.err
    assert "--force" in refused.err
    assert "enabled 1 routine" in cli("routines", "enable", "fetch").err
    assert "it is so already" in cli("routines", "enable", "fetch").err
    assert cli("routines", "trigger", "fetch", "--json").json["routine"] == "fetch"
    again = cli("routines", "trigger", "fetch")
    assert (again.status, "its last run has not ended" in again.err) == (4, True)
    assert "fetch has not succeeded" in cli("routines", "trigger", "process").err


def test_pause_and_disable_say_who_and_why(cli: Cli, shop: Shop) -> None:
    declare(shop)
    assert (
        cli("routines", "pause", "fetch", "process", "--reason", "night", "--json").json["routines"][0]["state"]
        == "paused"
    )
    assert cli("routines", "resume", "fetch").status == 0
    assert cli("routines", "disable", "process", "--reason", "enough").status == 0
    row = cli("routines", "show", "process", "--json").json["routine"]
    assert (row["state"], row["disable_reason"]) == ("disabled", "enough")
    assert cli("routines", "pause", "fetch", "nobody").status == 3
