"""`relet workers`, `leases`, `recover`, `status`: who works, what is held, and what needs a person."""

from __future__ import annotations

from relet.clock import SECOND
from relet.job.state import State
from relet.shapes import schema
from tests.cli.conftest import Cli, Shop, text
from tests.cli.schema_check import conforms


def lapse(shop: Shop) -> bytes:
    """A worker whose lease has lapsed while it held a job."""
    shop.session = shop.open_session("gone", lease_us=0)
    shop.store.renew(shop.session, 60_000_000, _beat())
    job_id = shop.run(queue="lost")[0].job_id
    shop.store.renew(shop.session, 0, _beat())
    return job_id


def _beat() -> object:
    from relet.store.records import Beat

    return Beat(turned_at=1)


def test_workers_ls_shows_state_and_load(cli: Cli, shop: Shop) -> None:
    shop.run(2)
    found = cli("workers", "ls", "--json").json["workers"]
    assert all(conforms(one, schema.WorkerOut) for one in found)
    assert [(one["worker"], one["state"], one["running"], one["slots"]) for one in found] == [
        ("worker-1", "live", 2, 4)
    ]
    assert cli("workers", "ls").rows[0][0] == "worker-1"


def test_a_worker_is_asked_by_name_or_session(cli: Cli, shop: Shop) -> None:
    assert cli("workers", "drain", "worker-1").status == 0
    assert shop.store.listen(shop.session).verb == "drain"
    assert cli("workers", "stop", shop.session.hex()[:8]).status == 0
    assert shop.store.listen(shop.session).verb == "stop"
    ran = cli("workers", "drain", "worker-2")
    assert ran.status == 3
    assert "Did you mean worker-1?" in ran.err
    assert cli("workers", "drain").status == 2


def test_nobody_asked_is_said(cli: Cli, shop: Shop) -> None:
    assert "asked 1 worker to drain" in cli("workers", "drain", "--all").err
    shop.store.end_session(shop.session, "test")
    ran = cli("workers", "drain", "--all")
    assert (ran.status, ran.err) == (0, "no worker is running; nobody was asked to drain\n")
    assert cli("workers", "stop", "--all", "--json").json == {"workers": []}


def test_leases_show_what_is_held(cli: Cli, shop: Shop) -> None:
    claim = shop.run()[0]
    shop.tell(claim, 30, "authorising")
    found = cli("leases", "--json").json["leases"]
    assert all(conforms(one, schema.LeaseOut) for one in found)
    assert [(one["id"], one["expired"], one["percent"]) for one in found] == [(text(claim.job_id), False, 30.0)]
    assert "30 % authorising" in cli("leases").out


def test_recover_gives_back_what_a_lapsed_worker_held(cli: Cli, shop: Shop) -> None:
    job_id = lapse(shop)
    assert [one["worker"] for one in cli("recover", "--dry-run", "--json").json["workers"]] == ["gone"]
    assert shop.state(job_id) is State.RUNNING
    found = cli("recover", "--json").json["reclaimed"]
    assert all(conforms(one, schema.ReclaimedOut) for one in found)
    assert [(one["worker"], one["returned"]) for one in found] == [("gone", 1)]
    assert shop.state(job_id) is State.READY
    assert "nothing to do" in cli("recover").err


def test_status_is_of_the_documented_schema(cli: Cli, shop: Shop) -> None:
    shop.run()
    shop.die()
    found = cli("status", "--json").json
    assert conforms(found, schema.StatusOut)
    assert found["counts"]["running"] == 1
    assert found["counts"]["dead"] == 1


def test_status_says_what_needs_a_person_and_the_next_command(cli: Cli, shop: Shop) -> None:
    lapse(shop)
    shop.add(1, queue="reports")
    shop.store.pause_queue("reports", "ann", "", None)
    told = {one["what"]: one["next"] for one in cli("status", "--json").json["problems"]}
    assert told["queue reports is paused by ann (1 job waits)"] == "relet queues resume reports"
    assert told["the lease of worker gone has lapsed, which held 1 job"] == "relet recover"


def test_a_pause_that_ends_by_itself_needs_nobody(cli: Cli, shop: Shop) -> None:
    shop.add(1, queue="reports")
    shop.store.pause_queue("reports", "ann", "", shop.store.now() + 600 * SECOND)
    status = cli("status")
    assert "nothing needs you" in status.out
    assert "by ann, resumes in" in status.out
    (told,) = [one for one in cli("doctor", "--json").json["findings"] if one["found"].startswith("queue reports")]
    assert (told["level"], told["next"]) == ("note", "")
    assert told["found"].startswith("queue reports is paused by ann until 20")
    assert told["found"].endswith(", and 1 job waits")
    shop.store.pause_queue("reports", "ann", "", None)
    assert "relet queues resume reports" in cli("status").out


def test_status_of_a_queue_that_nobody_serves(cli: Cli, shop: Shop) -> None:
    shop.store.end_session(shop.session, "test")
    shop.open_session("other", queues=("other",))
    shop.add(3, queue="email")
    told = {one["what"]: one["next"] for one in cli("status", "--json").json["problems"]}
    assert told == {"no worker is running for queue email (3 jobs wait)": "relet worker -q email"}


def test_status_for_people_has_everything_on_one_screen(cli: Cli, shop: Shop) -> None:
    shop.add(3, queue="email")
    ran = cli("status")
    assert ran.status == 0
    for word in ("3 ready", "email", "worker-1", "nothing needs you"):
        assert word in ran.out
