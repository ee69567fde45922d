"""The suites have teeth: each mistake, made on purpose, makes one of their tests fail."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from relet.store.statements import load
from tests.mutants.mutants import ALL, FIRST, Mutant

ROOT = Path(__file__).parents[2]
SCALE = int(os.environ.get("RELET_TEST_SCALE", "1"))
SURVIVED, KILLED = 0, 1


@pytest.mark.parametrize("mutant", FIRST if SCALE == 1 else ALL, ids=lambda mutant: mutant.name)
def test_a_mistake_is_noticed(mutant: Mutant):
    done = try_out(mutant)

    assert done.returncode == KILLED, done.stdout[-2_000:] + done.stderr[-2_000:]


def test_each_mistake_has_a_place_to_be_made_in():
    texts = {engine: load(engine) for engine in ("sqlite", "postgres")}
    lost = [mutant.name for mutant in ALL if mutant.old not in text_of(mutant, texts[mutant.engine])]
    assert lost == []
    unbound = [mutant.name for mutant in ALL if mutant.old.count("?") != mutant.new.count("?")]
    assert unbound == [], "each would be noticed for its number of parameters alone"


def text_of(mutant: Mutant, statements: dict[str, str]) -> str:
    if "." in mutant.where:
        found = find_spec(mutant.where)
        return "" if found is None or found.origin is None else Path(found.origin).read_text()
    return statements.get(mutant.where, "")


def try_out(mutant: Mutant) -> "subprocess.CompletedProcess[str]":
    """Run the suites with this mistake, up to the first failure."""
    *sooner, last = mutant.stages
    for stage in sooner:
        done = run(mutant, stage)
        if done.returncode == KILLED:
            return done
    return run(mutant, last)


def run(mutant: Mutant, suites: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "tests.mutants.plugin"),
            *suites,
            *(("-k", mutant.tests) if mutant.tests else ()),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "RELET_MUTANT": mutant.name,
            "RELET_TEST_SCALE": "1",
            "RELET_TEST_BOTH_WAYS": "1",
            "RELET_TEST_SHRINK": "0",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
