"""SQLite moves many jobs by one statement: the edges between those statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.store.open import open_store
from relet.store.schema import bring_up_to_date
from relet.store.sqlite.link import ROWS
from relet.store.sqlite.store import SqliteStore
from tests.store.hands import Worker, decide, ids, news, put


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A file of its own."""
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    bring_up_to_date(url)
    opened = open_store(url)
    assert isinstance(opened, SqliteStore)
    yield opened
    opened.close()


def test_no_statement_of_a_turn_is_prepared_again(store: SqliteStore) -> None:
    worker, prepared = Worker(store), list[object]()
    put(store, *news(40))

    def seen(*what: object) -> int:
        prepared.append(what)
        return 0

    store.link.driver.raw.authorizer = seen  # SQLite asks it whenever it prepares a statement
    for _ in range(3):
        prepared.clear()
        worker.turn([decide(claim, Ended.SUCCESS) for claim in worker.claim(10)])

    assert prepared == []


def test_turn_of_more_rows_than_one_statement_takes_and_settles_all(store: SqliteStore) -> None:
    worker, jobs = Worker(store), put(store, *news(2 * sum(ROWS) + 3))

    claims = worker.claim(len(jobs) + 1)
    answers = worker.settle(*[decide(claim, Ended.SUCCESS) for claim in claims])

    assert ids(claims) == jobs
    assert answers == (Answer.ACCEPTED,) * len(jobs)
    assert worker.renew().held == ()


def test_one_settle_that_comes_too_late_spoils_no_other(store: SqliteStore) -> None:
    first, second = Worker(store), Worker(store, "other")
    put(store, *news(300))
    claims = first.claim(300)
    lost = claims[123]
    first.end(lost, Ended.RELEASE)
    (again,) = second.claim(10)

    answers = first.settle(*[decide(claim, Ended.SUCCESS) for claim in claims])

    assert [n for n, answer in enumerate(answers) if answer is not Answer.ACCEPTED] == [123]
    assert second.end(again) is Answer.ACCEPTED


def test_two_settles_of_one_claim_in_one_turn_write_one(store: SqliteStore) -> None:
    worker = Worker(store)
    put(store, *news(2))
    one, two = worker.claim(2)

    answers = worker.settle(*[decide(claim, Ended.SUCCESS) for claim in (one, two, one)])

    assert answers == (Answer.ACCEPTED, Answer.ACCEPTED, Answer.REPLAYED)


def test_a_pointer_whose_job_is_gone_is_let_to_nobody(store: SqliteStore) -> None:
    worker, jobs = Worker(store), put(store, *news(3))
    store.link.driver.execute("delete from relet_job where id = ?", (jobs[1],))

    claims = worker.claim(10)

    assert ids(claims) == [jobs[0], jobs[2]]
    assert sorted(job for job, _ in worker.renew().held) == sorted(ids(claims))
    assert Worker(store, "other").claim(10) == ()
