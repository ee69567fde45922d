"""Routines under real worker processes that are killed."""

import random
import sys
import time
from pathlib import Path
from subprocess import DEVNULL, Popen

from relet.clock import SECOND
from relet.store.open import open_store
from relet.store.port import Store
from tests.support.waiting import until

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


def start(folder: Path, url: str) -> Popen[bytes]:
    command = [sys.executable, "-m", "relet", "worker", "-A", "ticking", "--url", url, "--lease", "3s", "--quiet"]
    env = {"PYTHONPATH": f"{folder}:{':'.join(sys.path)}", "LEDGER": str(folder / "ledger"), "PATH": "/usr/bin:/bin"}
    return Popen([*command, "--lock-dir", str(folder)], cwd=folder, env=env, stdout=DEVNULL, stderr=DEVNULL)


def under_kills(folder: Path, url: str, rng: random.Random) -> None:
    """Two workers, of which now and then one is killed and replaced."""
    crew = [start(folder, url), start(folder, url)]
    try:
        until((folder / "ledger").exists, 20)
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.5, 2 * RUN_S / KILLS - 0.5))
            place = rng.randrange(2)
            crew[place].kill()
            crew[place].wait()
            crew[place] = start(folder, url)
        time.sleep(1)
    finally:
        for worker in crew:
            worker.terminate()
        for worker in crew:
            worker.wait(20)


def judge(store: Store, ledger: Path) -> None:
    """Each due time from the first to the last has one run, or says why it has none."""
    firings = store.insights.firings("tick", None, 500)
    dues = [firing.due_at for firing in reversed(firings)]
    assert len(dues) >= RUN_S - 1
    assert dues == [dues[0] + n * SECOND for n in range(len(dues))]
    jobs = [firing.job_id for firing in firings if firing.job_id is not None]
    assert len(jobs) == len(set(jobs))
    ended = [firing for firing in firings if firing.outcome == "succeeded"]
    assert len(ledger.read_text().splitlines()) >= len(ended) > 0


def test_no_due_time_is_left_out_or_fired_twice_while_workers_are_killed(shared_url: str, tmp_path: Path) -> None:
    (tmp_path / "ticking.py").write_text(CODE)
    under_kills(tmp_path, shared_url, random.Random(11))
    store = open_store(shared_url)
    try:
        judge(store, tmp_path / "ledger")
    finally:
        store.close()
