"""Routines that block each other, under real worker processes that are killed."""

import random
import sys
import time
from itertools import pairwise
from pathlib import Path
from subprocess import DEVNULL, Popen

from relet.store.open import open_store
from relet.store.port import Store
from tests.support.waiting import until

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


def start(folder: Path, url: str) -> Popen[bytes]:
    command = [sys.executable, "-m", "relet", "worker", "-A", "blocking", "--url", url, "--lease", "3s", "--quiet"]
    env = {"PYTHONPATH": f"{folder}:{':'.join(sys.path)}", "LEDGER": str(folder / "ledger"), "PATH": "/usr/bin:/bin"}
    return Popen([*command, "--lock-dir", str(folder)], cwd=folder, env=env, stdout=DEVNULL, stderr=DEVNULL)


def under_kills(folder: Path, url: str, rng: random.Random) -> None:
    """Two workers; when they have begun two more runs, one of the workers is killed and replaced."""
    ledger = folder / "ledger"
    ledger.touch()
    crew = [start(folder, url), start(folder, url)]
    try:
        for place in (0, 1) * (KILLS // 2):
            before = len(ledger.read_text().splitlines())
            until(lambda before=before: len(ledger.read_text().splitlines()) > before + 1, 20)
            time.sleep(rng.uniform(0, 0.3))
            crew[place].kill()
            crew[place].wait()
            crew[place] = start(folder, url)
        time.sleep(1)
    finally:
        for worker in crew:
            worker.terminate()
        for worker in crew:
            worker.wait(20)


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
    (tmp_path / "blocking.py").write_text(CODE)
    under_kills(tmp_path, shared_url, random.Random(5))
    store = open_store(shared_url)
    try:
        judge(store)
    finally:
        store.close()
