"""`relet queues`: listed, paused, resumed, drained and purged."""

from __future__ import annotations

from relet.cli import schema
from relet.clock import SECOND
from relet.job.state import State
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
    assert paused["resume_at"]
    assert cli("queues", "resume", "email", "--json").json["queues"][0]["state"] == "open"
    again = cli("queues", "resume", "email")
    assert again.status == 0
    assert "neither" in again.err


def test_a_queue_that_nobody_used_is_paused_but_a_slip_is_pointed_out(cli: Cli, shop: Shop) -> None:
    shop.add(queue="email")
    ran = cli("queues", "pause", "emial")
    assert ran.status == 0
    assert "did you mean email?" in ran.err


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
