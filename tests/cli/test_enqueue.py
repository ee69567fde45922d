"""`relet enqueue` and `relet run`: from words on a command line to a job, and to a result."""

from __future__ import annotations

import io
from pathlib import Path
from uuid import UUID

import pytest

from relet.job.state import State
from relet.shapes import schema
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms

TASKS = """
from relet import App, Context
import dataclasses, datetime

app = App()


@dataclasses.dataclass
class Order:
    number: int
    note: str = ""


@app.task
async def greet(name: str, times: int = 1) -> str:
    return f"hello {name}" * times


@app.task(queue="orders")
def charge(ctx: Context, order: Order, at: datetime.date | None = None) -> int:
    ctx.progress(50, "half")
    ctx.log("charging")
    return order.number


@app.task
def fail() -> None:
    raise ValueError("boom password=geheim")
"""

pytestmark = pytest.mark.usefixtures("fresh_modules")


@pytest.fixture(autouse=True)
def tasks(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(TASKS)


def args_of(shop: Shop, job_id: str) -> str:
    row = shop.store.insights.job(UUID(job_id).bytes)
    assert row is not None
    return row.args


def test_the_id_is_data_and_the_rest_is_talk(cli: Cli, shop: Shop) -> None:
    ran = cli("enqueue", "greet", "name=World")
    assert ran.status == 0
    assert args_of(shop, ran.out.strip()) == '{"name":"World"}'
    assert "the only App here" in ran.err
    assert cli("enqueue", "greet", "name=World", "--quiet").err == ""
    assert conforms(cli("enqueue", "greet", "x", "--json").json, schema.EnqueuedOut)


def test_a_task_whose_code_is_elsewhere_is_enqueued_by_name(cli: Cli, shop: Shop) -> None:
    refused = cli("enqueue", "billing.charge", "order_id=7")
    assert refused.status == 3
    assert "the same with --by-name" in refused.err
    ran = cli("enqueue", "--by-name", "billing.charge", "order_id=7", "--queue", "billing")
    assert ran.status == 0
    assert "neither the task's name nor its arguments are checked" in ran.err
    row = shop.store.insights.job(UUID(ran.out.strip()).bytes)
    assert row is not None
    assert (row.task, row.args, row.queue) == ("billing.charge", '{"order_id":7}', "billing")
    assert cli("enqueue", "--by-name", "billing.charge", "7").status == 2


@pytest.mark.parametrize(
    ("words", "args"),
    [
        (["World"], '{"name":"World"}'),
        (["7"], '{"name":"7"}'),
        (["World", "3"], '{"name":"World","times":3}'),
        (["times=3", "World"], '{"name":"World","times":3}'),
        (["times:=3", "name=a=b"], '{"name":"a=b","times":3}'),
        (['{"name": "x", "times": 2}'], '{"name":"x","times":2}'),
        (["name=true"], '{"name":"true"}'),
    ],
)
def test_arguments_are_read_by_the_task_s_own_signature(cli: Cli, shop: Shop, words: list[str], args: str) -> None:
    assert args_of(shop, cli("enqueue", "tasks.greet", *words).out.strip()) == args


def test_arguments_may_be_structures_and_come_from_stdin(cli: Cli, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    given = '{"order": {"number": 7}, "at": "2030-01-01"}'
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    job_id = cli("enqueue", "charge", "-").out.strip()
    assert args_of(shop, job_id) == '{"order":{"number":7},"at":"2030-01-01"}'


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["gret", "x"], 3, "Did you mean tasks.greet?"),
        (["greet"], 2, "name"),
        (["greet", "x", "1", "2"], 2, "one argument too many"),
        (["greet", "nam=x"], 2, "nam"),
        (["greet", "x", "times=many"], 2, "times"),
        (["greet", "x", "name=y"], 2, "times"),
        (["greet", "name=x", "name=y"], 2, "given twice"),
        (["greet", "{broken"], 2, "not JSON"),
        (["greet", "x", "--priority", "hgih"], 2, "priority"),
        (["greet", "x", "--delay", "soon"], 2, "delay"),
        (["greet", "x", "--at", "tomorrow"], 2, "--at"),
        (["greet", "x", "--queue", "*"], 2, "queue"),
        (["greet", "x", "--unique", "{nothing}"], 2, "nothing"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    cli: Cli, shop: Shop, words: list[str], status: int, said: str
) -> None:
    ran = cli("enqueue", *words)
    assert ran.status == status
    assert said in ran.err
    assert shop.store.insights.counts()[State.READY] == 0


def test_options_of_the_job(cli: Cli, shop: Shop) -> None:
    cli("enqueue", "greet", "x", "--delay", "5m", "--priority", "high", "--queue", "other")
    cli("enqueue", "greet", "x", "--at", "2999-01-01T00:00:00Z")
    late, delayed = cli("jobs", "ls", "--json").json["jobs"]
    assert (delayed["state"], delayed["priority"], delayed["queue"]) == ("scheduled", 2, "other")
    assert late["run_at"] == "2999-01-01T00:00:00Z"


def test_a_taken_key_returns_the_job_that_holds_it(cli: Cli, shop: Shop) -> None:
    first = cli("enqueue", "greet", "x", "--unique", "once:{name}", "--json").json
    again = cli("enqueue", "greet", "x", "--unique", "once:{name}", "--json").json
    assert (again["id"], again["created"]) == (first["id"], False)
    refused = cli("enqueue", "greet", "x", "--unique", "once:{name}", "--on-conflict", "raise")
    assert refused.status == 4
    assert first["id"] in refused.err


def test_a_closed_queue_refuses(cli: Cli, shop: Shop) -> None:
    shop.store.close_queue("default", "ann", "moving")
    assert cli("enqueue", "greet", "x").status == 4


def test_without_code_a_job_is_enqueued_by_name(cli: Cli, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "tasks.py").unlink()
    ran = cli("enqueue", "other.task", "n=1", "text=x", "--queue", "far")
    assert ran.status == 0
    assert "not checked" in ran.err or "checked" in ran.err
    assert args_of(shop, ran.out.strip()) == '{"n":1,"text":"x"}'
    assert cli("enqueue", "other.task", "x").status == 2
    assert cli("enqueue", "other.task", "-A", "nowhere").status == 3


def test_waiting_ends_with_124_when_nobody_works(cli: Cli, shop: Shop) -> None:
    shop.store.end_session(shop.session, "test")
    ran = cli("enqueue", "greet", "x", "--wait", "--timeout", "0.1")
    assert ran.status == 124
    assert ran.out == ""
    assert "start one: relet worker -q default" in ran.err
    assert "relet jobs why" in ran.err


def test_run_runs_the_task_here_and_prints_its_result(cli: Cli, shop: Shop) -> None:
    assert cli("run", "greet", "World").out == '"hello World"\n'
    found = cli("run", "charge", '{"order": {"number": 7}}', "--json").json
    assert found["result"] == 7
    assert [line["message"] for line in found["logs"]] == ["charging"]
    assert shop.store.insights.counts()[State.READY] == 0


def test_run_of_a_task_that_fails_ends_with_1_and_shows_the_place(cli: Cli, shop: Shop) -> None:
    ran = cli("run", "fail")
    assert ran.status == 1
    assert "tasks.py" in ran.err
    assert "ValueError: boom" in ran.err
    assert "geheim" not in ran.err


def test_run_needs_a_task_or_once(cli: Cli, shop: Shop) -> None:
    assert cli("run").status == 2
    assert cli("run", "greet", "--once").status == 2
