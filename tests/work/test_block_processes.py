"""Routines that block each other, under real worker processes that are killed."""

import random
import time
from itertools import pairwise
from pathlib import Path

from relet.store.open import open_store
from relet.store.port import Store
from tests.support.waiting import until
from tests.work.pair import Pair

CODE = """
import os, time
from relet import App
app = App()

def work() -> None:
    with open(os.environ["LEDGER"], "a") as ledger:
        ledger.write("began\\n")
    time.sleep(0.4)

@app.routine(every="1s", jitter=0, blocks=["dispatch"])
def refill() -> None:
    work()

@app.routine(every="1s", jitter=0)
def dispatch() -> None:
    work()
"""
KILLS = 4


def under_kills(pair: Pair, rng: random.Random) -> None:
    """When two workers have begun two more runs, one of them is killed and replaced."""
    pair.ledger.touch()
    with pair:
        for place in (0, 1) * (KILLS // 2):
            before = len(pair.ledger.read_text().splitlines())
            until(lambda before=before: len(pair.ledger.read_text().splitlines()) > before + 1, 20)
            time.sleep(rng.uniform(0, 0.3))
            pair.kill(place)
        time.sleep(1)


def judge(store: Store) -> None:
    """No run of one began while one of the other had not ended, by the store's own history; and all have ended."""
    runs = [
        (attempt.started_at, attempt.ended_at, name)
        for name in ("refill", "dispatch")
        for firing in store.insights.firings(name, None, 500)
        if firing.job_id is not None
        for attempt in store.insights.attempts(firing.job_id)
    ]
    runs.sort()
    assert {name for *_, name in runs} == {"refill", "dispatch"}
    for (_, ended_at, name), (started_at, _, other) in pairwise(runs):
        assert ended_at <= started_at, f"{other} began {(ended_at - started_at) / 1e6} s before {name} had ended"


def test_routines_that_block_each_other_never_overlap_while_workers_are_killed(shared_url: str, tmp_path: Path) -> None:
    under_kills(Pair(tmp_path, "blocking", CODE, shared_url), random.Random(5))
    store = open_store(shared_url)
    try:
        judge(store)
    finally:
        store.close()
