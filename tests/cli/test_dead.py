"""`relet dead`: the dead letters are read, retried, resolved and removed."""

from __future__ import annotations

from relet.job.state import State
from relet.shapes import schema
from tests.cli.conftest import Cli, Shop, text
from tests.cli.schema_check import conforms


def test_ls_shows_open_letters_with_their_total(cli: Cli, shop: Shop) -> None:
    ids = [shop.die(error=f"ValueError: {n}") for n in range(3)]
    shop.store.resolve_dead(ids[0], True, "ann", "")
    found = cli("dead", "ls", "--json", "--limit", "1").json
    assert found["total"] == 2
    assert [one["id"] for one in found["dead"]] == [text(ids[2])]
    assert all(conforms(one, schema.DeadOut) for one in found["dead"])
    assert len(cli("dead", "ls", "--all").rows) == 3
    assert [row[0] for row in cli("dead", "ls", "--resolved").rows] == [text(ids[0])]
    assert len(cli("dead", "ls", "--error", "VALUEERROR: 1").rows) == 1


def test_show_has_the_stack(cli: Cli, shop: Shop) -> None:
    job_id = shop.die(stack='Traceback:\n  File "mail.py", line 7')
    ran = cli("dead", "show", text(job_id)[:23])
    assert 'File "mail.py", line 7' in ran.out
    assert conforms(cli("dead", "show", text(job_id), "--json").json, schema.DeadOut)
    assert cli("dead", "show", text(shop.add()[0])).status == 3


def test_show_says_resolved_only_when_it_is(cli: Cli, shop: Shop) -> None:
    job_id = text(shop.die())
    assert "resolved" not in cli("dead", "show", job_id).out
    cli("dead", "resolve", job_id)
    assert " by " in cli("dead", "show", job_id).out.partition("resolved")[2]


def test_stats_count_by_queue(cli: Cli, shop: Shop) -> None:
    shop.store.resolve_dead(shop.die(queue="a"), True, "ann", "")
    shop.die(queue="a")
    shop.die(queue="b")
    found = cli("dead", "stats", "--json").json["queues"]
    assert all(conforms(one, schema.DeadStatsOut) for one in found)
    assert {(one["queue"], one["total"], one["resolved"], one["open"]) for one in found} == {
        ("a", 2, 1, 1),
        ("b", 1, 0, 1),
    }


def test_retry_of_one_may_change_its_arguments(cli: Cli, shop: Shop) -> None:
    job_id = shop.die(args='{"order": 7}')
    assert cli("dead", "retry", text(job_id), "--args", "[1]").status == 2
    assert cli("dead", "retry", text(job_id), "--args", '{"order": 8}').status == 0
    row = shop.store.insights.job(job_id)
    assert row is not None
    assert (row.state, row.args) == (State.READY, '{"order":8}')


def test_retry_by_filter_says_how_many_and_needs_a_yes(cli: Cli, shop: Shop) -> None:
    ids = [shop.die(error="OSError: timeout") for _ in range(2)]
    other = shop.die(error="KeyError: 'x'")
    refused = cli("dead", "retry", "--error", "timeout")
    assert refused.status == 2
    assert "2 dead letters" in refused.err
    ran = cli("dead", "retry", "--error", "timeout", "--yes")
    assert ran.status == 0
    assert "retried 2 dead letters" in ran.err
    assert [shop.state(job_id) for job_id in ids] == [State.READY, State.READY]
    assert shop.state(other) is State.DEAD


def test_retry_is_refused_while_another_job_holds_the_key(cli: Cli, shop: Shop) -> None:
    from relet.job.job import Options

    key = Options(unique="order:7")
    job_id = shop.die(options=key)
    holder = shop.add(options=key)[0]
    ran = cli("dead", "retry", text(job_id))
    assert ran.status == 4
    assert text(holder) in ran.out
    assert shop.state(job_id) is State.DEAD


def test_resolve_records_who_and_what_and_can_be_undone(cli: Cli, shop: Shop) -> None:
    job_id = shop.die()
    assert cli("dead", "resolve", text(job_id), "--notes", "refunded").status == 0
    found = cli("dead", "show", text(job_id), "--json").json
    assert (found["resolved"], found["notes"]) == (True, "refunded")
    assert "@" in found["resolved_by"]
    assert cli("dead", "resolve", text(job_id), "--reopen").status == 0
    assert cli("dead", "show", text(job_id), "--json").json["resolved"] is False


def test_rm_removes_letter_and_job(cli: Cli, shop: Shop) -> None:
    kept, gone = shop.die(), shop.die(queue="b")
    shop.store.resolve_dead(gone, True, "ann", "")
    assert cli("dead", "rm", "--all", "--resolved", "--yes").status == 0
    assert shop.state(gone) is None
    assert shop.state(kept) is State.DEAD
