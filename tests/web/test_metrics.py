"""`/metrics`, read by Prometheus's own parsers; and that what Grafana and Prometheus are told to ask for is there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_plain
from starlette.testclient import TestClient

from relet import App, __version__
from relet.job.figures import COLUMNS
from relet.job.health import Rules
from relet.store.measures import News
from relet.store.port import Store
from relet.web.metrics import exposition
from relet.web.tokens import Made

DEPLOY = Path(__file__).parents[2] / "deploy"
OPEN = "application/openmetrics-text; version=1.0.0"
AWKWARD = 'say "hi"\\\nthere'


@pytest.fixture
def store(app: App) -> Iterator[Store]:
    row = dict.fromkeys(COLUMNS, 0) | {"succeeded": 3, "failed": 1, "run_us": 2_500_000, "run_0": 1, "run_9": 2}
    with closing(app.open_store()) as store:
        store.add_figures(News({("email", "mail.send"): [row[column] for column in COLUMNS]}, {"job.fenced": 2}))
        store.close_queue(AWKWARD, "ann", "")
        yield store


def sampled(found: list[Metric], name: str, **labels: str) -> float:
    """The one sample of that name and these labels."""
    (value,) = (
        sample.value
        for metric in found
        for sample in metric.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
    return float(value)


@pytest.mark.parametrize(("accept", "read"), [("", read_plain), (OPEN, read_open)])
def test_the_text_is_what_prometheus_reads(store: Store, accept: str, read: Callable[[str], Iterator[Metric]]) -> None:
    text, kind = exposition(store, Rules(), accept)
    assert kind.startswith("application/openmetrics-text" if accept else "text/plain")
    found = list(read(text.decode()))
    assert sampled(found, "relet_jobs_total", queue="email", task="mail.send", outcome="succeeded") == 3
    assert sampled(found, "relet_jobs_total", queue="email", task="mail.send", outcome="failed") == 1
    assert sampled(found, "relet_job_run_seconds_sum", queue="email", task="mail.send") == 2.5
    assert sampled(found, "relet_job_run_seconds_count", queue="email", task="mail.send") == 3
    assert sampled(found, "relet_job_run_seconds_bucket", queue="email", le="0.001") == 1
    assert sampled(found, "relet_job_run_seconds_bucket", queue="email", le="2.5") == 3
    assert sampled(found, "relet_fenced_writes_total") == 2
    assert sampled(found, "relet_workers", state="live") == 0
    assert sampled(found, "relet_build_info", version=__version__) == 1
    assert sampled(found, "relet_healthy") == 0, "no worker has ever run"
    assert sampled(found, "relet_queue_jobs", queue=AWKWARD, state="ready") == 0


def test_counters_go_on_and_gauges_follow(app: App, store: Store) -> None:
    app.tasks["mail.send"].enqueue(to="ann")
    found = list(read_plain(exposition(store, Rules())[0].decode()))
    assert sampled(found, "relet_queue_jobs", queue="email", state="ready") == 1
    store.add_figures(News({("email", "mail.send"): [1] * len(COLUMNS)}, {}))
    store.judge_health(Rules(failure_percent=90))
    found = list(read_plain(exposition(store, Rules())[0].decode()))
    assert sampled(found, "relet_jobs_total", queue="email", task="mail.send", outcome="succeeded") == 4
    assert sampled(found, "relet_healthy") == 1


def test_a_scrape_says_nothing_to_who_may_not_ask(
    open_site: TestClient, closed_site: TestClient, token: Callable[..., Made]
) -> None:
    assert "relet_build_info" in open_site.get("/metrics").text
    assert closed_site.get("/metrics").status_code == 401
    allowed = {"Authorization": f"Bearer {token().text}"}
    answer = closed_site.get("/metrics", headers={**allowed, "Accept": OPEN})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert list(read_open(answer.text))
    narrow = token(scopes=["jobs.*"], name="bob")
    assert closed_site.get("/metrics", headers={"Authorization": f"Bearer {narrow.text}"}).status_code == 403


@pytest.mark.parametrize("file", ["grafana/relet.json", "prometheus/relet.rules.yml"])
def test_what_dashboards_and_alerts_ask_for_is_there(store: Store, file: str) -> None:
    found = read_plain(exposition(store, Rules())[0].decode())
    known = {metric.name for metric in found} | {"relet_llm_tokens", "relet_llm_cost_dollars"}
    text = (DEPLOY / file).read_text("utf-8")
    asked = set(re.findall(r"\brelet_[a-z_]+", text))
    assert len(asked) > 5
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked} <= known


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "relet.json").read_text("utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert all(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
