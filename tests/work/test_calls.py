"""What an error of a store says about the data of a call."""

import psycopg
import pytest

from relet.errors import Contended, OutcomeUnknown, SchemaMismatch, StoreError, StoreFull, StoreUnavailable, Unstorable
from relet.store.postgres.failures import translate
from relet.work.actions import Failure
from relet.work.calls import sort


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (OutcomeUnknown("x"), Failure.UNKNOWN),
        *((kind("x"), Failure.NOTHING) for kind in (StoreUnavailable, StoreFull, Contended, SchemaMismatch)),
        (Unstorable("x"), Failure.DATA),
        (ValueError("a value that the driver cannot bind"), Failure.DATA),
        (StoreError("x"), Failure.DEFECT),
    ],
)
def test_an_error_is_sorted_by_what_it_says_of_the_data(error: Exception, failure: Failure) -> None:
    assert sort(error) is failure


@pytest.mark.parametrize(
    ("state", "failure"),
    [
        *((state, Failure.DATA) for state in ("22021", "22P02", "23514", "54000", "21000")),
        *((state, Failure.DEFECT) for state in ("XX000", "XX001", "26000", "0A000", "P0001")),
        *((state, Failure.NOTHING) for state in ("42501", "53400", "58030", "40001")),
    ],
)
def test_only_what_speaks_of_the_data_lets_it_be_changed(state: str, failure: Failure) -> None:
    error = psycopg.errors.lookup(state)("injected")
    assert sort(translate(error, "postgresql://somewhere", committing=False)) is failure
