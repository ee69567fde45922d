"""`relet queues`: listed, paused, resumed, drained and purged."""

from __future__ import annotations

from relet.clock import SECOND
from relet.job.job import Options
from relet.job.state import State
from relet.shapes import schema
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms


def test_ls_counts_what_is_in_each_queue(cli: Cli, shop: Shop) -> None:
    shop.add(3, queue="email")
    shop.add(1, queue="email", delay_us=60 * SECOND)
    shop.die(queue="reports")
    found = {one["name"]: one for one in cli("queues", "ls", "--json").json["queues"]}
    assert all(conforms(one, schema.QueueOut) for one in found.values())
    assert (found["email"]["ready"], found["email"]["scheduled"]) == (3, 1)
    assert found["reports"]["dead"] == 1
    assert {row[0] for row in cli("queues", "ls").rows} == {"email", "reports"}


def test_pause_and_resume(cli: Cli, shop: Shop) -> None:
    shop.add(queue="email")
    paused = cli("queues", "pause", "email", "--reason", "maintenance", "--for", "5m", "--json").json["queues"][0]
    assert (paused["state"], paused["pause_reason"]) == ("paused", "maintenance")
    assert paused["paused_until"]
    assert cli("queues", "resume", "email", "--json").json["queues"][0]["state"] == "open"
    again = cli("queues", "resume", "email")
    assert again.status == 0
    assert "neither" in again.err
    assert "nothing to resume" in again.err


def test_a_queue_that_nobody_used_is_paused_but_a_slip_is_pointed_out(cli: Cli, shop: Shop) -> None:
    shop.add(queue="email")
    shop.open_session("worker-2", queues=("reports", "*"))
    ran = cli("queues", "pause", "emial")
    assert ran.status == 0
    assert "queue emial has no live job, and no worker names it; did you mean email?" in ran.err
    assert "relet queues resume emial" in ran.err
    limited = cli("queues", "limit", "emale", "--concurrency", "3")
    assert "did you mean email? To take it back: relet queues unlimit emale" in limited.err
    assert cli("queues", "unlimit", "remail").err.rstrip().endswith("did you mean email?")
    assert "relet queues resume emial" in ran.err
    far = cli("queues", "pause", "nope")
    assert "queue nope has no live job" in far.err
    assert "did you mean" not in far.err
    for known in ("email", "reports", "nope"):  # it has jobs; a worker names it; it has been paused
        assert "no live job" not in cli("queues", "pause", known).err


def test_every_steering_command_says_in_one_line_what_it_did(cli: Cli, shop: Shop) -> None:
    shop.add(2, queue="email")
    for argv, said in (
        (("pause", "email"), "paused 1 queue"),
        (("resume", "email"), "resumed 1 queue"),
        (("drain", "email"), "draining 1 queue"),
        (("purge", "email", "--yes"), "purged 2 jobs"),
    ):
        ran = cli("queues", *argv)
        assert (ran.status, ran.err.splitlines()) == (0, [said])
        assert cli("queues", *argv, "--quiet").err == ""


def test_drain_closes_the_queue_for_new_jobs(cli: Cli, shop: Shop) -> None:
    shop.add(queue="email")
    assert cli("queues", "drain", "email", "--json").json["queues"][0]["state"] == "closed"


def test_purge_cancels_what_waits_and_shows_the_count(cli: Cli, shop: Shop) -> None:
    running = shop.run(queue="email")[0].job_id
    ids = [*shop.add(3, queue="email"), *shop.add(1, queue="email", delay_us=60 * SECOND)]
    refused = cli("queues", "purge", "email")
    assert refused.status == 2
    assert "4 jobs of email" in refused.err
    assert cli("queues", "purge", "email", "--dry-run").status == 0
    dry = cli("queues", "purge", "email", "--dry-run", "--json").json
    assert (dry["dry_run"], dry["purged"], dry["queues"][0]["ready"]) == (True, 0, 3)
    assert shop.state(ids[0]) is State.READY
    assert cli("queues", "purge", "email", "--yes", "--json").json["purged"] == 4
    assert {shop.state(job_id) for job_id in ids} == {State.CANCELLED}
    assert shop.state(running) is State.RUNNING


def test_purge_and_resume_of_an_unknown_queue_are_not_found(cli: Cli, shop: Shop) -> None:
    shop.add(queue="email")
    for verb in ("purge", "resume"):
        ran = cli("queues", verb, "emial")
        assert ran.status == 3
        assert "Did you mean email?" in ran.err


def test_a_name_that_cannot_be_a_queue_is_refused(cli: Cli, shop: Shop) -> None:
    assert cli("queues", "pause", "a\x1bb").status == 2
    assert cli("queues", "pause", "*").status == 2


def test_steering_prints_json(cli: Cli, shop: Shop) -> None:
    shop.add(2, queue="email")
    for verb in ("pause", "resume", "drain", "purge"):
        ran = cli("queues", verb, "email", "--json", *(["--yes"] if verb == "purge" else []))
        assert [conforms(one, schema.QueueOut) for one in ran.json["queues"]] == [True]
    assert [conforms(one, schema.WorkerOut) for one in cli("workers", "drain", "--all", "--json").json["workers"]] == [
        True
    ]


def test_a_limit_is_set_shown_changed_and_ended(cli: Cli, shop: Shop) -> None:
    shop.add(3, queue="lead")
    first = cli("queues", "limit", "lead", "--concurrency", "5", "--rate", "50/min", "--json").json["queues"][0]
    assert conforms(first, schema.QueueOut)
    assert (first["limit"], first["limit_use"]) == ("5 at once, 50/min", "0 of 5 at once, 0 of 50/min")
    assert first["limited_by"]
    again = cli("queues", "limit", "lead", "--rate", "none", "--per-worker", "2", "--json").json["queues"][0]
    assert again["limit"] == "5 at once, 2 per worker", "what is not given stays as it is"
    shown = cli("queues", "limit", "lead", "--json").json["queues"][0]
    assert shown["limit"] == "5 at once, 2 per worker"
    assert "0 of 5 at once" in cli("queues", "ls").out
    assert cli("queues", "unlimit", "lead", "--json").json["queues"][0]["limit"] is None
    assert "none holds until a worker starts" in cli("queues", "unlimit", "lead", "--forget").err


def test_what_is_no_limit_is_refused(cli: Cli) -> None:
    for flags in (("--concurrency", "many"), ("--concurrency", "0"), ("--rate", "fast"), ("--per-worker", "-1")):
        ran = cli("queues", "limit", "lead", *flags)
        assert ran.status == 2, flags
    assert cli("queues", "ls").rows == []


def test_shares_of_tenants_are_listed_and_weighed(cli: Cli, shop: Shop) -> None:
    assert "no tenants" in cli("queues", "shares", "email").err
    shop.add(3, queue="email", options=Options(fair="acme"))
    shop.add(1, queue="email")
    ran = cli("queues", "share", "email", "acme", "3", "--json")
    assert [(one["tenant"], one["weight"], one["ready"]) for one in ran.json["shares"]] == [("acme", 3, 3)]
    found = cli("queues", "shares", "email", "--json").json["shares"]
    assert all(conforms(one, schema.ShareOut) for one in found)
    assert [(one["tenant"], one["weight"], one["ready"]) for one in found] == [("acme", 3, 3), ("", 1, 1)]
    assert cli("queues", "shares", "email").rows[1][:3] == ["(none)", "1", "1"]
    assert "tenant acme of queue email has weight 1" in cli("queues", "unshare", "email", "acme").err
    again = cli("queues", "unshare", "email", "acme")
    assert (again.status, "no weight of its own" in again.err) == (3, True)
    slip = cli("queues", "share", "emial", "acme", "3").err
    assert "did you mean email? To take it back: relet queues unshare emial acme" in slip


def test_a_weight_that_is_none_is_refused(cli: Cli, shop: Shop) -> None:
    for weight in ("0", "1001", "much"):
        ran = cli("queues", "share", "email", "acme", weight)
        assert (ran.status, "1 to 1,000" in ran.err) == (2, True)
