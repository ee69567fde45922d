"""Tasks that are declared in the main module itself: a child process runs it again, under another name."""

import subprocess
import sys
from pathlib import Path

import pytest

GUARDED = """
import os
from relet import App

app = App("sqlite:///{folder}/jobs.db")

@app.task(executor="process")
def apart(n: int) -> list[int]:
    return [n + 1, os.getpid()]

if __name__ == "__main__":
    with app.worker(lock_dir="{folder}/locks"):
        n, pid = apart.enqueue(1).result("20s")
        print("apart", n, pid != os.getpid())
"""

UNGUARDED = """
from relet import App

app = App("sqlite:///{folder}/jobs.db")

@app.task(executor="process", retry=1)
def apart() -> int:
    return 1

with app.worker(lock_dir="{folder}/locks"):
    try:
        apart.enqueue().result("20s")
    except Exception as error:
        print(type(error).__name__, error)
"""


def run(folder: Path, text: str, *how: str) -> str:
    (folder / "script.py").write_text(text.format(folder=folder))
    command = [sys.executable, *(how or ("script.py",))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("how", [("script.py",), ("-m", "script")])
def test_task_of_the_main_module_runs_in_a_child(tmp_path: Path, how: tuple[str, ...]) -> None:
    assert run(tmp_path, GUARDED, *how) == "apart 2 True\n"


def test_worker_that_the_main_module_starts_while_it_is_imported_is_refused(tmp_path: Path) -> None:
    told = run(tmp_path, UNGUARDED)
    assert told.startswith("JobFailed"), told
    assert 'if __name__ == "__main__":' in told
