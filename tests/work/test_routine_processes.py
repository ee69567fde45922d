"""Routines under real worker processes that are killed."""

import random
import time
from pathlib import Path

from relet.clock import SECOND
from relet.store.open import open_store
from relet.store.port import Store
from tests.support.waiting import until
from tests.work.pair import Pair

CODE = """
import os
from relet import App
app = App()

@app.routine(every="1s", catchup=100, overlap="queue", jitter=0)
def tick() -> None:
    with open(os.environ["LEDGER"], "a") as ledger:
        ledger.write("ran\\n")
"""
KILLS, RUN_S = 6, 8


def under_kills(pair: Pair, store: Store, rng: random.Random) -> None:
    """Now and then one of two workers is killed and replaced, until there were enough due times."""
    with pair:
        until(pair.ledger.exists, 20)
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.5, 2 * RUN_S / KILLS - 0.5))
            pair.kill(rng.randrange(2))
        until(lambda: len(store.insights.firings("tick", None, 500)) >= RUN_S, 30)


def judge(store: Store, ledger: Path) -> None:
    """Each due time from the first to the last has one run, or says why it has none."""
    firings = store.insights.firings("tick", None, 500)
    dues = [firing.due_at for firing in reversed(firings)]
    assert dues == [dues[0] + n * SECOND for n in range(len(dues))]
    jobs = [firing.job_id for firing in firings if firing.job_id is not None]
    assert len(jobs) == len(set(jobs))
    ended = [firing for firing in firings if firing.outcome == "succeeded"]
    assert len(ledger.read_text().splitlines()) >= len(ended) > 0


def test_no_due_time_is_left_out_or_fired_twice_while_workers_are_killed(shared_url: str, tmp_path: Path) -> None:
    pair = Pair(tmp_path, "ticking", CODE, shared_url)
    store = open_store(shared_url)
    try:
        under_kills(pair, store, random.Random(11))
        judge(store, pair.ledger)
    finally:
        store.close()
