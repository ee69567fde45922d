"""Traces and measures by OpenTelemetry's own SDK, from the enqueue to the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from relet import App, Retry, Snooze
from relet.contrib.otel import instrument
from tests.support.waiting import until


class Traced:
    """An app that is traced, and what it has exported."""

    def __init__(self, url: str) -> None:
        self.app = App(url)
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = tracers.get_tracer("test")
        instrument(self.app, tracer_provider=tracers, meter_provider=MeterProvider([self.reader]))
        self.failed = 0

        @self.app.task(name="plain", queue="mail")
        def plain(n: int = 0) -> int:
            with self.tracer.start_as_current_span("inside"):
                return n

        @self.app.task(name="async")
        async def on_loop() -> None:
            with self.tracer.start_as_current_span("inside"):
                await asyncio.sleep(0)

        @self.app.task(name="flaky", retry=Retry(2, backoff="fixed", first=0.01))
        def flaky() -> None:
            self.failed += 1
            if self.failed == 1:
                raise ValueError("first")

        @self.app.task(name="patient")
        def patient() -> None:
            self.failed += 1
            if self.failed == 1:
                raise Snooze(0.01)

        self.plain, self.on_loop, self.flaky, self.patient = plain, on_loop, flaky, patient

    def spans(self, name: str, count: int = 1) -> list[ReadableSpan]:
        """The spans of this name, when there are so many."""

        def found() -> list[ReadableSpan]:
            return [span for span in self.exporter.get_finished_spans() if span.name == name]

        until(lambda: len(found()) >= count, 10)
        assert len(found()) == count
        return found()

    def measured(self, name: str) -> list[Any]:
        """The points of a metric."""
        data = self.reader.get_metrics_data()
        assert data is not None
        metrics = [m for r in data.resource_metrics for scope in r.scope_metrics for m in scope.metrics]
        return [point for metric in metrics if metric.name == name for point in metric.data.data_points]


@pytest.fixture
def traced(shared_url: str) -> Traced:
    return Traced(shared_url)


def parent_of(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def enqueue_plainly(traced: Traced) -> Any:
    return traced.plain.enqueue(1)


def enqueue_async(traced: Traced) -> Any:
    return asyncio.run(traced.plain.aenqueue(1))


@pytest.mark.parametrize("enqueue", [enqueue_plainly, enqueue_async])
def test_a_run_belongs_to_the_trace_of_whoever_enqueued_its_job(
    traced: Traced, enqueue: Callable[[Traced], Any]
) -> None:
    with traced.tracer.start_as_current_span("request") as request:
        job = enqueue(traced)
    with traced.app.worker(poll="20ms", worker="w-1"):
        assert job.result("10s") == 1
    (submit,), (process,), (inside,) = traced.spans("submit mail"), traced.spans("process mail"), traced.spans("inside")
    assert submit.kind is SpanKind.PRODUCER
    assert process.kind is SpanKind.CONSUMER
    assert parent_of(submit) == request.get_span_context().span_id
    assert parent_of(process) == id_of(submit)
    assert parent_of(inside) == id_of(process)
    assert process.attributes is not None
    assert dict(process.attributes) == {
        "messaging.system": "relet",
        "messaging.destination.name": "mail",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.id": str(job.id),
        "messaging.client.id": "w-1",
        "relet.task": "plain",
        "relet.attempt": 1,
        "relet.claim": 1,
    }


def test_a_coroutine_is_traced_to_its_end(traced: Traced) -> None:
    job = traced.on_loop.enqueue()
    with traced.app.worker(poll="20ms"):
        job.result("10s")
    (process,), (inside,) = traced.spans("process default"), traced.spans("inside")
    assert parent_of(inside) == id_of(process)


def test_a_run_that_is_not_the_first_is_linked_to_that_trace_and_an_error_is_told(traced: Traced) -> None:
    job = traced.flaky.enqueue()
    with traced.app.worker(poll="20ms"):
        job.result("10s")
    (submit,) = traced.spans("submit default")
    first, second = traced.spans("process default", 2)
    assert first.status.status_code is StatusCode.ERROR
    assert [event.name for event in first.events] == ["exception"]
    assert parent_of(first) == id_of(submit)
    assert second.status.status_code is StatusCode.UNSET
    assert parent_of(second) is None
    assert [link.context.span_id for link in second.links] == [id_of(submit)]


def test_a_job_that_is_put_off_is_linked(traced: Traced) -> None:
    job = traced.plain.options(delay=0.05).enqueue(2)
    with traced.app.worker(poll="20ms"):
        job.result("10s")
    (submit,), (process,) = traced.spans("submit mail"), traced.spans("process mail")
    assert parent_of(process) is None
    assert [link.context.span_id for link in process.links] == [id_of(submit)]


def test_what_a_task_decides_itself_is_no_error(traced: Traced) -> None:
    job = traced.patient.enqueue()
    with traced.app.worker(poll="20ms"):
        job.result("10s")
    assert [one.status.status_code for one in traced.spans("process default", 2)] == [StatusCode.UNSET] * 2


def test_many_jobs_are_one_submission_and_each_run_is_measured(traced: Traced) -> None:
    jobs = traced.app.enqueue_many([traced.plain.call(n) for n in range(3)])
    with traced.app.worker(poll="20ms"):
        for job in jobs:
            job.result("10s")
    (submit,) = traced.spans("submit mail")
    assert submit.attributes is not None
    assert submit.attributes["messaging.batch.message_count"] == 3
    assert {parent_of(one) for one in traced.spans("process mail", 3)} == {id_of(submit)}
    (sent,), (consumed,) = (traced.measured(f"messaging.client.{name}.messages") for name in ("sent", "consumed"))
    assert (sent.value, consumed.value) == (3, 3)
    (took,) = traced.measured("messaging.process.duration")
    assert took.count == 3


@pytest.mark.parametrize("left", ["nonsense", "[]", '{"traceparent": "no"}', None])
def test_a_trace_that_cannot_be_read_begins_a_new_one(traced: Traced, left: str | None) -> None:
    from msgspec.structs import replace

    from relet.job.job import NewJob, Options

    made = NewJob(traced.app.ids.job(), "plain", queue="mail")
    with traced.app.shared.use() as store:
        store.enqueue([made if left is None else replace(made, options=Options(trace=left))])
    with traced.app.worker(poll="20ms"):
        (process,) = traced.spans("process mail")
    assert parent_of(process) is None
    assert not process.links
