"""`relet health`: which queues and workers are healthy."""

from __future__ import annotations

from relet.job.figures import COLUMNS
from relet.job.health import Rules
from relet.shapes import health
from relet.store.measures import News
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms


def ran(shop: Shop, succeeded: int, failed: int) -> None:
    row = dict.fromkeys(COLUMNS, 0) | {"succeeded": succeeded, "failed": failed}
    shop.store.add_figures(News({("mail", "send"): [row[column] for column in COLUMNS]}, {}))
    shop.store.judge_health(Rules())


def test_what_is_healthy_says_so(cli: Cli, shop: Shop) -> None:
    shop.run()
    ran(shop, 100, 1)
    found = cli("health")
    assert found.status == 0
    assert found.out.startswith("healthy")
    record = cli("health", "--json").json
    assert conforms(record, health.HealthOut)
    queue = next(one for one in record["queues"] if one["name"] == "mail")
    assert conforms(queue, health.QueueHealthOut)
    assert (queue["healthy"], queue["succeeded"], queue["failed"], queue["total_succeeded"]) == (True, 100, 1, 100)
    assert conforms(record["workers"][0], health.WorkerHealthOut)
    assert record["uptime_day"] == 1.0


def test_what_is_not_healthy_says_why_by_its_exit_status_too(cli: Cli, shop: Shop) -> None:
    ran(shop, 1, 9)
    found = cli("health")
    assert found.status == 6
    assert "not healthy: 1 of its queues and workers are not healthy" in found.out
    assert "9 of 10 runs have failed in 5m" in found.out
    assert cli("health", "--json").json["healthy"] is False


def test_a_store_that_no_worker_has_looked_at_is_not_healthy(cli: Cli, shop: Shop) -> None:
    assert shop.store.insights.health_report(Rules()).looked_at is None
    found = cli("health")
    assert found.status == 6
    assert "no worker has ever run" in found.out
