"""Class-style workers."""

import asyncio
from typing import Any

import pytest

from relet import App
from relet.errors import DefinitionError
from relet.work.style import ProcessingJob, ProcessingWorker
from tests.work.conftest import Shop


class Orders(ProcessingWorker):
    queue = "orders"

    def process_job(self, job: ProcessingJob) -> dict[str, Any]:
        job.update_progress(50, "halfway")
        if job.attempts < job.data.get("fails", 0) + 1:
            raise OSError("not yet")
        return {"id": str(job.id), "order": job.data["order"], "attempts": job.attempts}


class AsyncOrders(ProcessingWorker):
    async def process_job(self, job: ProcessingJob) -> int:
        await asyncio.sleep(0)
        return job.data["n"]


@pytest.fixture
def app(shop: Shop) -> Any:
    app = App(shop.url)
    yield app
    app.close()


def test_class_style_worker_processes_its_jobs(shop: Shop, app: App) -> None:
    worker = Orders(app, worker_id="orders-1", lock_dir=str(shop.folder / "locks"))
    job = worker.enqueue(order="456", fails=1)
    with worker:
        assert job.result("10s") == {"id": str(job.id), "order": "456", "attempts": 2}
        status = worker.status()
    assert (status.worker_id, status.max_concurrent_jobs, status.lease_duration_seconds) == ("orders-1", 1, 300.0)
    assert not worker.status().is_running


def test_two_workers_of_a_class_share_its_jobs(shop: Shop, app: App) -> None:
    options: dict[str, Any] = {"lock_dir": str(shop.folder / "locks"), "max_concurrent_jobs": 2}
    with Orders(app, **options) as one, Orders(app, **options):
        jobs = [one.enqueue(order=n) for n in range(10)]
        assert [job.result("10s")["order"] for job in jobs] == list(range(10))


def test_class_style_worker_takes_no_other_jobs(shop: Shop, app: App) -> None:
    async def other() -> int:
        return 1

    task = app.task(name="other", queue="orders")(other)
    job = task.enqueue()
    with Orders(app, lock_dir=str(shop.folder / "locks")) as worker:
        worker.enqueue(order=1).result("10s")
    assert job.state == "ready"


def test_process_job_may_be_async(shop: Shop, app: App) -> None:
    with AsyncOrders(app, lock_dir=str(shop.folder / "locks")) as worker:
        assert worker.enqueue(n=7).result("10s") == 7


def test_class_without_process_job_says_so(shop: Shop, app: App) -> None:
    worker = ProcessingWorker(app, lock_dir=str(shop.folder / "locks"))
    with pytest.raises(DefinitionError, match="override process_job"):
        worker.process_job(None)  # type: ignore[arg-type]


def test_threshold_has_to_be_a_percentage(app: App) -> None:
    with pytest.raises(DefinitionError):
        Orders(app, extension_threshold_percent=0)


def test_ordinary_worker_of_the_app_leaves_them_to_the_class(shop: Shop, app: App) -> None:
    locks = str(shop.folder / "locks")
    orders = Orders(app, lock_dir=locks)
    job = orders.enqueue(order=1)
    assert not app.tasks
    with orders:
        assert job.result("10s")["attempts"] == 1
