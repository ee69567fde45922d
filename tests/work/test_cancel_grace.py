"""How long a job may take to stop: what the cancel says, else the setting `cancel_grace`."""

import pytest

from relet.cli import main
from tests.store.hands import Worker
from tests.work import tasks
from tests.work.conftest import Shop


def graces(shop: Shop, *ways: str) -> list[int]:
    """What a worker is told, for one job that is cancelled in each way."""
    worker = Worker(shop.store, tasks=[tasks.who.name])
    told = list[int]()
    for way in ways:
        job = tasks.who.enqueue()
        worker.take()
        match way:
            case "by its handle":
                assert job.cancel()
            case "by its handle, at once":
                assert job.cancel(grace=0)
            case "with others":
                assert tasks.app.jobs.cancel(task=job.info().task) > 0
            case "with others, in a minute":
                assert tasks.app.jobs.cancel(grace="1m", task=job.info().task) > 0
            case "by command":
                assert main(["jobs", "cancel", str(job.id), "--url", shop.url]) == 0
            case _:
                assert main(["jobs", "cancel", str(job.id), "--url", shop.url, "--grace", "7s"]) == 0
        told += [one.grace_us for one in shop.store.listen(worker.id).controls if one.job_id == job.id.bytes]
        worker.end(next(iter(shop.store.claims(worker.id, [job.id.bytes]))))
    return told


def test_app_takes_its_setting_unless_told_otherwise(shop: Shop) -> None:
    ways = ("by its handle", "by its handle, at once", "with others", "with others, in a minute")
    assert graces(shop, *ways) == [300_000, 0, 300_000, 60_000_000]


def test_command_takes_its_setting_unless_told_otherwise(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELET_CANCEL_GRACE", "3s")
    assert graces(shop, "by command", "by command, in 7 s") == [3_000_000, 7_000_000]
