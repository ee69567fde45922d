"""Jobs that come after others, and a batch, under real worker processes that are killed: each has its effect once, and
nobody is left waiting."""

import random
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from relet.store.open import open_store
from relet.store.rows import DeadFilter
from tests.crash.scene import Look
from tests.store.invariants import check_invariants
from tests.support.waiting import until
from tests.work.pair import Pair

CODE = """
import time
from relet import App, Context
app = App()

@app.task(executor="thread")
def step(ctx: Context, name: str) -> str:
    time.sleep(0.1)
    with ctx.transaction() as connection:
        connection.execute(f"insert into ledger values ('{name}')")
    return name
"""
ENQUEUE = """
from bonds import app, step
first = step.call("first")
parts = [step.call(f"part {n}").after(first) for n in range(50)]
total = step.call("total").after(*parts)
batch = app.batch("all", on_complete=step.call("complete"), on_success=step.call("success"), on_failure=step.call("failure"))
batch.add_many([first, *parts, total])
batch.enqueue()
"""
NAMES = ["first", *(f"part {n}" for n in range(50)), "total", "complete", "success"]
KILLS = 6


def work(pair: Pair, rng: random.Random, look: Look) -> None:
    """Until the last one has run; now and then one of two workers is killed and replaced."""
    with pair:
        until(lambda: rows(look, "ledger"), 20)
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.05, 0.5))
            pair.kill(rng.randrange(2))
        until(lambda: len(rows(look, "ledger")) >= len(NAMES) and not rows(look, "relet.running"), 30)


def rows(look: Look, table: str) -> list[tuple[Any, ...]]:
    return look.rows(f"select * from {table}")


def ledger(url: str, sql: str) -> None:
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute(sql)
    else:
        with psycopg.connect(url) as connection:
            connection.execute(sql.encode())


def counted(names: Sequence[tuple[str]]) -> list[str]:
    return sorted(name for (name,) in names)


def test_a_fan_and_its_batch_go_through_once_while_workers_are_killed(shared_url: str, tmp_path: Path) -> None:
    store = open_store(shared_url)
    try:
        ledger(shared_url, "create table ledger (name text)")
        pair, look = Pair(tmp_path, "bonds", CODE, shared_url, "--slots", "4"), Look(shared_url)
        (tmp_path / "produce.py").write_text(ENQUEUE)
        assert pair.run("produce.py").wait(20) == 0
        work(pair, random.Random(7), look)

        assert counted(rows(look, "ledger")) == sorted(NAMES)
        (batch,) = store.insights.batches()
        assert (batch.total, batch.open, batch.succeeded) == (52, 0, 52)
        assert rows(look, "relet.waiting") == rows(look, "relet.ready") == []
        assert store.insights.dead(DeadFilter()) == []
        assert look.rows("select 1 from relet.attempt where outcome = 'lost'"), "nobody was killed with a job in hand"
        assert look.rows("select count(*) from relet.finished where outcome = 'cancelled'") == [(1,)], "on_failure"
        check_invariants(look)  # type: ignore[arg-type]  it asks for rows only
    finally:
        store.close()
