"""What commands print with --json has the shape that the reference gives."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from docs.generate import PRINTED
from relet.cli import main
from relet.shapes import health, schema, webhooks

TASKS = """\
from relet import App, Reject
app = App("sqlite:///jobs.db")

@app.task
def add(a: int, b: int) -> int:
    return a + b

@app.task
def spoil() -> None: ...
"""

COMMANDS = {
    "relet enqueue": "enqueue add 1 2",
    "relet run TASK": "run add 1 2",
    "relet run --once": "run --once",
    "relet status": "status",
    "relet jobs ls": "jobs ls",
    "relet jobs show": "jobs show ID",
    "relet jobs why": "jobs why ID",
    "relet jobs cancel, retry, rm": "jobs cancel ID",
    "relet dead ls": "dead ls",
    "relet dead stats": "dead stats",
    "relet queues ls": "queues ls",
    "relet queues pause, resume, drain, purge": "queues pause default",
    "relet workers ls, drain, stop": "workers ls",
    "relet routines ls, enable, disable, pause, resume, delete": "routines ls",
    "relet schedules ls, upsert, enable, disable, pause, resume, delete": "schedules upsert nightly add 1 2 --every 1d",
    "relet limits ls, set, pause, resume, forget": "limits set stripe --concurrency 1",
    "relet breakers ls, open, close, reset": "breakers ls",
    "relet leases": "leases",
    "relet recover": "recover",
    "relet doctor": "doctor",
    "relet health": "health",
    "relet webhooks ls, enable, disable, rm": "webhooks ls",
    "relet webhooks deliveries, test, redeliver": "webhooks deliveries",
    "relet migrate": "migrate status",
    "relet init": "init elsewhere",
}
"""A command line for each form. `enqueue --wait` and a dead letter's forms need a worker; `tests/cli` has them."""


def keys_of(form: str) -> set[str]:
    """The members that a form names: its own, or those of a record."""
    record = next((found for each in (schema, health, webhooks) if (found := getattr(each, f"{form}Out", None))), None)
    return set(record.__annotations__) if record else set(re.findall(r'"(\w+)":', form))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """A directory with an app and one job; returns its id."""
    monkeypatch.chdir(tmp_path)
    for name in ("RELET_URL", "RELET_APP"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "json_shop.py").write_text(TASKS, "utf-8")
    (tmp_path / "relet.toml").write_text('app = "json_shop"\nurl = "sqlite:///jobs.db"\n', "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["enqueue", "add", "1", "2"]) == 0
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_the_documented_shape(name: str, shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [shop if word == "ID" else word for word in COMMANDS[name].split()]
    main([*words, "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert keys_of(dict(PRINTED)[name]) <= printed.keys()


def test_every_documented_form_names_something() -> None:
    assert all(keys_of(form) for _, form in PRINTED)
