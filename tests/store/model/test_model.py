"""Whatever is done to a store, it answers as the oracle does, and its rows are what the oracle says."""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.store.beds import PostgresBed, memory_bed
from tests.store.model.machine import StoreMachine

SCALE = int(os.environ.get("RELET_TEST_SCALE", "1"))
"""How many times as many examples as usual; above 1 they are drawn anew each time."""


def chosen(examples: int) -> settings:
    return settings(
        max_examples=examples * SCALE,
        stateful_step_count=50,
        derandomize=SCALE == 1,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


def test_sqlite_answers_as_the_oracle_does():
    run_state_machine_as_test(lambda: StoreMachine(memory_bed), settings=chosen(120))


def test_postgres_answers_as_the_oracle_does(postgres_bed: PostgresBed):
    def emptied() -> PostgresBed:
        postgres_bed.empty()
        return postgres_bed

    run_state_machine_as_test(lambda: StoreMachine(emptied), settings=chosen(20))
