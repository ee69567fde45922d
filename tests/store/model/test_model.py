"""Whatever is done to a store, it answers as the oracle does, and its rows are what the oracle says."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.store.beds import PostgresBed, memory_bed
from tests.store.model.machine import StoreMachine
from tests.store.model.play import play

SCALE = int(os.environ.get("RELET_TEST_SCALE", "1"))
"""How many times as many examples as usual; above 1 they are drawn anew each time."""

SHRINK = os.environ.get("RELET_TEST_SHRINK", "1") == "1"
"""Whether a failing example is made small, which takes its time."""


def chosen(examples: int) -> settings:
    return settings(
        max_examples=examples * SCALE,
        stateful_step_count=50,
        derandomize=SCALE == 1,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        phases=[phase for phase in Phase if SHRINK or phase is not Phase.shrink],
    )


def test_sqlite_answers_as_the_oracle_does():
    run_state_machine_as_test(lambda: StoreMachine(memory_bed), settings=chosen(60))


@pytest.mark.parametrize("chunk", range(4 * SCALE))
def test_sqlite_answers_as_the_oracle_does_over_long_histories(chunk: int):
    for seed in range(chunk * 30, (chunk + 1) * 30):
        play(StoreMachine(memory_bed), seed, 150)


def test_postgres_answers_as_the_oracle_does(postgres_bed: PostgresBed):
    run_state_machine_as_test(lambda: StoreMachine(lambda: _emptied(postgres_bed)), settings=chosen(10))


@pytest.mark.parametrize("seed", range(8 * SCALE))
def test_postgres_answers_as_the_oracle_does_over_long_histories(postgres_bed: PostgresBed, seed: int):
    play(StoreMachine(lambda: _emptied(postgres_bed)), seed, 120)


def _emptied(bed: PostgresBed) -> PostgresBed:
    bed.empty()
    return bed
