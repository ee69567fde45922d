"""The monitoring views: what people see of queues and workers in SQL."""

from pathlib import Path

from relet.clock import SECOND
from relet.store.open import open_store
from relet.store.port import Store
from tests.store.beds import Bed, PostgresBed, SqliteBed
from tests.store.hands import LEASE_US, Worker, put_new

QUEUES = "select queue_name, waiting, active, delayed, dead, paused from relet.v_queues order by queue_name"
WORKERS = "select worker_id, status from relet.v_workers order by worker_id"


def test_a_queue_that_has_dead_letters_only_is_among_the_queues(store: Store, bed: Bed):
    worker = Worker(store)
    job_id = put_new(store)
    worker.bury(worker.take())
    put_new(store, queue="other")
    assert bed.rows(QUEUES) == [("default", 0, 0, 0, 1, 0), ("other", 1, 0, 0, 0, 0)]

    store.resolve_dead(job_id, True, "ann", "")

    assert bed.rows(QUEUES) == [("other", 1, 0, 0, 0, 0)]


def test_a_worker_is_active_until_its_lease_has_lapsed_or_its_session_ended(store: Store, bed: Bed, tmp_path: Path):
    if not isinstance(bed, PostgresBed):  # a view reads the wall clock of the host there
        bed, store = SqliteBed(f"sqlite:///{tmp_path}/views.db"), open_store(f"sqlite:///{tmp_path}/views.db")
    Worker(store, "a ended").leave()
    Worker(store, "b active")
    lapsing = Worker(store, "c lapsed")
    bed.rows(
        f"update relet.session set lease_until = 0, renewed_at = renewed_at - {LEASE_US + SECOND} where worker like 'c%'"
    )

    assert bed.rows(WORKERS) == [("a ended", "ended"), ("b active", "active"), ("c lapsed", "lapsed")]

    lapsing.renew()
    assert bed.rows(WORKERS)[2] == ("c lapsed", "active")
    store.close()
    bed.close()
