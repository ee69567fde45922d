"""`relet jobs`: what is listed, shown, explained, cancelled, retried and removed."""

from __future__ import annotations

import json

from relet.clock import SECOND
from relet.job.outcome import Ended
from relet.job.state import State
from relet.shapes import schema
from tests.cli.conftest import Cli, Shop, text
from tests.cli.schema_check import conforms


def test_ls_lists_jobs_of_every_state_newest_first(cli: Cli, shop: Shop) -> None:
    ids = [shop.succeed(), shop.die(), shop.run()[0].job_id, *shop.add(1, delay_us=60 * SECOND), *shop.add()]
    ran = cli("jobs", "ls")
    assert ran.status == 0
    assert [row[0] for row in ran.rows] == [text(job_id) for job_id in reversed(ids)]
    assert [row[1] for row in ran.rows] == ["ready", "scheduled", "running", "dead", "succeeded"]


def test_ls_as_json_is_of_the_documented_schema(cli: Cli, shop: Shop) -> None:
    shop.succeed()
    shop.die()
    shop.tell(shop.run()[0], 30, "half way")
    shop.add(1, needs=("gpu=a100",))
    found = cli("jobs", "ls", "--json").json
    assert set(found) == {"jobs", "next"}
    assert all(conforms(job, schema.JobOut) for job in found["jobs"])
    lines = cli("jobs", "ls", "--jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == found["jobs"]


def test_ls_filters_and_pages(cli: Cli, shop: Shop) -> None:
    old = shop.add(3)
    new = shop.add(3, queue="other")
    assert [row[0] for row in cli("jobs", "ls", "--queue", "other").rows] == [text(i) for i in reversed(new)]
    first = cli("jobs", "ls", "--limit", "4", "--json").json
    rest = cli("jobs", "ls", "--limit", "4", "--json", "--before", first["next"]).json
    assert [job["id"] for job in first["jobs"] + rest["jobs"]] == [text(i) for i in reversed(old + new)]
    assert rest["next"] is None
    assert cli("jobs", "ls", "--state", "dead").rows == []
    assert len(cli("jobs", "ls", "--since", "1h").rows) == 6
    assert cli("jobs", "ls", "--until", "1h").rows == []


def test_a_time_that_cannot_be_read_is_refused_with_both_forms(cli: Cli, shop: Shop) -> None:
    ran = cli("jobs", "ls", "--since", "yesterday")
    assert ran.status == 2
    assert '"2h"' in ran.err
    assert "2030-12-31T18:00" in ran.err


def test_ls_stuck_shows_only_what_runs_for_too_long(cli: Cli, shop: Shop) -> None:
    claim = shop.run()[0]
    assert cli("jobs", "ls", "--stuck").rows == []
    assert [row[0] for row in cli("jobs", "ls", "--stuck", "0").rows] == [text(claim.job_id)]


def test_an_empty_list_is_said_on_stderr(cli: Cli, shop: Shop) -> None:
    ran = cli("jobs", "ls")
    assert (ran.status, ran.out) == (0, "")
    assert "no jobs match" in ran.err
    assert cli("jobs", "ls", "--quiet").err == ""
    assert cli("jobs", "ls", "--json").json == {"jobs": [], "next": None}


def test_show_tells_facts_and_history(cli: Cli, shop: Shop) -> None:
    job_id = shop.die(error="ValueError: no such order", args='{"order": 7}')
    ran = cli("jobs", "show", text(job_id))
    for word in (text(job_id), "dead", "mail", '{"order": 7}', "ValueError: no such order", "1: failure on worker-1"):
        assert word in ran.out
    found = cli("jobs", "show", text(job_id), "--json").json
    assert conforms(found["job"], schema.JobOut)
    assert all(conforms(one, schema.AttemptOut) for one in found["attempts"])
    assert found["attempts"]


def test_an_id_may_be_given_without_hyphens_or_by_its_first_digits(cli: Cli, shop: Shop) -> None:
    job_id = shop.add()[0]
    shop.add()
    for name in (text(job_id), text(job_id).upper(), job_id.hex(), job_id.hex()[:16]):
        assert cli("jobs", "show", name, "--json").json["job"]["id"] == text(job_id)


def test_an_ambiguous_or_unknown_id_is_not_found(cli: Cli, shop: Shop) -> None:
    first, second = shop.add(2)
    ran = cli("jobs", "show", first.hex()[:6])
    assert ran.status == 3
    assert text(second) in ran.err
    assert cli("jobs", "show", "ffff").status == 3
    assert cli("jobs", "show", "01890000-0000-7000-8000-000000000000").status == 3
    assert cli("jobs", "show", "xyz").status == 2
    assert cli("jobs", "show", "01").status == 2


def test_why_explains_in_sentences(cli: Cli, shop: Shop) -> None:
    job_id = shop.add(queue="email")[0]
    shop.store.pause_queue("email", "ann", "maintenance", None)
    ran = cli("jobs", "why", text(job_id))
    assert ran.status == 0
    assert "paused" in ran.out
    assert "maintenance" in ran.out
    found = cli("jobs", "why", text(job_id), "--json").json
    assert found["why"] == ran.out.splitlines()


def test_cancel_by_id_cancels_and_says_what_it_found(cli: Cli, shop: Shop) -> None:
    waiting, running = shop.add(queue="a")[0], shop.run(queue="b")[0].job_id
    ran = cli("jobs", "cancel", text(waiting), text(running), "--reason", "not needed", "--json")
    assert ran.status == 0
    assert [(one["done"], one["state"]) for one in ran.json["changes"]] == [(True, "ready"), (True, "running")]
    assert all(conforms(one, schema.ChangeOut) for one in ran.json["changes"])
    assert shop.state(waiting) is State.CANCELLED
    row = shop.store.insights.job(running)
    assert row is not None
    assert row.cancel_asked == "not needed"


def test_cancel_says_of_a_running_job_that_it_was_only_asked(cli: Cli, shop: Shop) -> None:
    waiting, running = shop.add(queue="a")[0], shop.run(queue="b")[0].job_id
    ran = cli("jobs", "cancel", text(waiting), text(running), "--grace", "7s", "--json")
    assert [one["did"] for one in ran.json["changes"]] == ["cancelled", "asked to cancel"]
    assert "cancelled 1 job; asked to cancel 1 job" in ran.err
    assert "has 7s to end" in ran.err
    assert "to end" not in cli("jobs", "cancel", text(shop.add(queue="c")[0])).err


def test_show_says_that_a_cancel_was_asked_also_without_a_reason(cli: Cli, shop: Shop) -> None:
    first, second = (claim.job_id for claim in shop.run(2))
    cli("jobs", "cancel", text(first))
    cli("jobs", "cancel", text(second), "--reason", "too slow")
    assert "cancel asked  yes, without a reason" in cli("jobs", "show", text(first)).out
    assert "cancel asked  too slow" in cli("jobs", "show", text(second)).out
    assert cli("jobs", "ls").out.count("cancel asked") == 2


def test_cancel_of_an_ended_job_is_refused(cli: Cli, shop: Shop) -> None:
    job_id = shop.succeed()
    ran = cli("jobs", "cancel", text(job_id))
    assert ran.status == 4
    assert "succeeded" in ran.out


def test_cancel_by_filter_needs_a_yes_and_can_be_tried_dry(cli: Cli, shop: Shop) -> None:
    ids = shop.add(3, queue="email")
    others = shop.add(2)
    ran = cli("jobs", "cancel", "--queue", "email")
    assert ran.status == 2
    assert "3 jobs" in ran.err
    dry = cli("jobs", "cancel", "--queue", "email", "--dry-run", "--json")
    assert dry.status == 0
    assert len(dry.json["changes"]) == 3
    assert all(shop.state(job_id) is State.READY for job_id in ids)
    assert cli("jobs", "cancel", "--queue", "email", "--yes").status == 0
    assert all(shop.state(job_id) is State.CANCELLED for job_id in ids)
    assert all(shop.state(job_id) is State.READY for job_id in others)


def test_nothing_chosen_never_means_everything(cli: Cli, shop: Shop) -> None:
    job_id = shop.add()[0]
    for verb in ("cancel", "rm", "retry"):
        assert cli("jobs", verb, "--yes").status == 2
        assert cli("jobs", verb, text(job_id), "--queue", "default").status == 2
    assert cli("jobs", "cancel", "--queue", "emial", "--yes").status == 3
    assert shop.state(job_id) is State.READY


def test_retry_brings_back_dead_jobs_only(cli: Cli, shop: Shop) -> None:
    dead, done = shop.die(), shop.succeed()
    ran = cli("jobs", "retry", text(dead), text(done), "--json")
    assert ran.status == 4
    assert [one["done"] for one in ran.json["changes"]] == [True, False]
    assert shop.state(dead) is State.READY
    assert shop.state(done) is State.SUCCEEDED


def test_rm_removes_ended_jobs_only(cli: Cli, shop: Shop) -> None:
    done, live, dead = shop.succeed(queue="a"), shop.add(queue="b")[0], shop.die(queue="c")
    ran = cli("jobs", "rm", text(done), text(live), text(dead), "--json")
    assert [one["done"] for one in ran.json["changes"]] == [True, False, False]
    assert ran.status == 4
    assert shop.state(done) is None
    assert shop.state(live) is State.READY
    assert shop.state(dead) is State.DEAD


def test_secrets_in_arguments_results_and_errors_are_hidden(cli: Cli, shop: Shop) -> None:
    claim = shop.run(args='{"user": "ann", "password": "geheim-1"}')[0]
    job_id = shop.end(claim, State.SUCCEEDED, Ended.SUCCESS, result='{"api_key": "geheim-2"}')
    dead = shop.die(error="OSError: cannot open postgresql://ann:geheim-3@db/x", stack="token=geheim-4")
    for form in ((), ("--json",), ("--jsonl",)):
        for argv in (("jobs", "show", text(job_id)), ("jobs", "show", text(dead)), ("jobs", "ls"), ("dead", "ls")):
            ran = cli(*argv, *form)
            assert ran.status == 0
            assert "geheim" not in ran.out + ran.err
    assert "ann" in cli("jobs", "show", text(job_id)).out


def test_control_characters_of_jobs_never_reach_the_terminal(cli: Cli, shop: Shop) -> None:
    evil = "boom\x1b[2J\x07\u202e\x9b1m"
    dead = shop.die(error=evil, stack=evil, args=json.dumps({"a": evil}))
    shop.tell(shop.run()[0], 5, evil)
    for argv in (
        ("jobs", "ls"),
        ("jobs", "show", text(dead)),
        ("dead", "ls"),
        ("dead", "show", text(dead)),
        ("leases",),
    ):
        for form in ((), ("--json",)):
            ran = cli(*argv, *form)
            assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(ran.out + ran.err)


def test_show_tells_what_a_job_comes_after_and_what_comes_after_it(cli: Cli, shop: Shop) -> None:
    parent, child = shop.chain(2)

    shown = cli("jobs", "show", text(child), "--json").json
    assert all(conforms(bond, schema.BondOut) for bond in shown["parents"])
    assert [bond["id"] for bond in shown["parents"]] == [text(parent)]
    assert [bond["id"] for bond in cli("jobs", "show", text(parent), "--json").json["children"]] == [text(child)]
    assert text(parent) in cli("jobs", "show", text(child)).out
    assert [row[0] for row in cli("jobs", "ls", "--state", "waiting").rows] == [text(child)]
    assert "waits for 1 job" in cli("jobs", "why", text(child)).out
