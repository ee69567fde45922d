"""Traces by OpenTelemetry, from whoever enqueues a job to its run.

    app = App("sqlite:///jobs.db")
    instrument(app)                       # in the module of the app: then child processes trace, too

Needs `opentelemetry-api`, and an SDK that exports. Names are those of the semantic conventions for messaging; the job's own
trace context travels in its row.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, Protocol
from uuid import UUID

import msgspec
from msgspec.structs import replace
from opentelemetry import metrics, propagate, trace
from opentelemetry.context import Context as TraceContext
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, TracerProvider

from relet import __version__
from relet.clock import ticks
from relet.context import Context, current
from relet.errors import Verdict
from relet.job.job import NewJob, Options
from relet.tracing import Tracing

SYSTEM, DESTINATION = "messaging.system", "messaging.destination.name"
OPERATION, OPERATION_TYPE = "messaging.operation.name", "messaging.operation.type"
MESSAGE, MESSAGES, CLIENT = "messaging.message.id", "messaging.batch.message_count", "messaging.client.id"
TASK, ATTEMPT, CLAIM = "relet.task", "relet.attempt", "relet.claim"
SENT, CONSUMED = "messaging.client.sent.messages", "messaging.client.consumed.messages"
DURATION = "messaging.process.duration"

LATER = "relet-later"
"""Beside a trace context: the job was put off when it was enqueued."""


class Traced(Protocol):
    """An app."""

    tracing: Tracing | None


def instrument(
    app: Traced, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> None:
    """Trace what this app enqueues and what its workers run, and measure it. Before a worker is started; once is enough.

    A run belongs to the trace of whoever enqueued its job. One that was put off, or that is not the first, begins a trace of its
    own, which is linked to that: else a trace would last for as long as the job waits.
    """
    app.tracing = OpenTelemetry(tracer_provider, meter_provider)


class OpenTelemetry:
    """Spans and measures of one app."""

    def __init__(self, tracers: TracerProvider | None, meters: MeterProvider | None) -> None:
        self._tracer = trace.get_tracer("relet", __version__, tracers)
        meter = metrics.get_meter("relet", __version__, meters)
        self._sent = meter.create_counter(SENT, "{message}", "Jobs that were enqueued.")
        self._consumed = meter.create_counter(CONSUMED, "{message}", "Runs that have ended.")
        self._took = meter.create_histogram(DURATION, "s", "How long runs took.")

    # ── enqueueing ────────────────────────────────────────────────────────────────────────────────────────────────
    @contextmanager
    def sending(self, jobs: Sequence[NewJob]) -> Generator[Sequence[NewJob]]:
        queues = {job.queue for job in jobs}
        said: dict[str, Any] = {SYSTEM: "relet", OPERATION: "submit", OPERATION_TYPE: "send"}
        if len(queues) == 1:
            said[DESTINATION] = jobs[0].queue
        if len(jobs) == 1:
            said |= {MESSAGE: _text(jobs[0].id), TASK: jobs[0].task}
        else:
            said[MESSAGES] = len(jobs)
        name = f"submit {jobs[0].queue}" if len(queues) == 1 else "submit"
        with self._tracer.start_as_current_span(name, kind=SpanKind.PRODUCER, attributes=said):
            yield _told(jobs)
        for queue in queues:
            self._sent.add(
                sum(job.queue == queue for job in jobs), {SYSTEM: "relet", OPERATION: "submit", DESTINATION: queue}
            )

    # ── running ───────────────────────────────────────────────────────────────────────────────────────────────────
    def around(self, fn: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
        if is_async:

            @wraps(fn)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                with self._process(current()):
                    return await fn(*args, **kwargs)

            return run_async

        @wraps(fn)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self._process(current()):
                return fn(*args, **kwargs)

        return run

    @contextmanager
    def _process(self, ctx: Context) -> Generator[None]:
        where = {SYSTEM: "relet", DESTINATION: ctx.queue, OPERATION: "process"}
        said = where | {
            OPERATION_TYPE: "process",
            MESSAGE: _text(ctx.job_id.bytes),
            CLIENT: ctx.lease.worker_id,
            TASK: ctx.task,
            ATTEMPT: ctx.attempt,
            CLAIM: ctx.lease.token,
        }
        parent, links = _origin(ctx)
        began, error_type = ticks(), ""
        with self._tracer.start_as_current_span(
            f"process {ctx.queue}",
            parent,
            SpanKind.CONSUMER,
            said,
            links,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Verdict:  # what the task decided is no error
                raise
            except BaseException as error:
                error_type = type(error).__qualname__
                span.record_exception(error)
                span.set_status(Status(StatusCode.ERROR, error_type))
                raise
            finally:
                measured = where | ({"error.type": error_type} if error_type else {})
                self._took.record((ticks() - began) / 1e9, measured)
                self._consumed.add(1, measured)


def _told(jobs: Sequence[NewJob]) -> list[NewJob]:
    """The jobs with the present trace context."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    if not carrier:
        return list(jobs)
    now, later = (msgspec.json.encode(each).decode() for each in (carrier, {**carrier, LATER: "1"}))
    same: Options | None = None
    options = Options()
    found: list[NewJob] = []
    for job in jobs:
        if job.delay_us > 0 or job.run_at is not None:
            found.append(replace(job, options=replace(job.options, trace=later), trace=carrier.get("traceparent")))
            continue
        if job.options is not same:  # jobs that were made together share theirs
            same, options = job.options, replace(job.options, trace=now)
        found.append(replace(job, options=options, trace=carrier.get("traceparent")))
    return found


def _origin(ctx: Context) -> tuple[TraceContext | None, list[Link]]:
    """(the context to go on in, links): of whoever enqueued the job, if this is its first run and it was not put off."""
    carrier = _carrier(ctx.trace)
    if not carrier:
        return TraceContext(), []
    origin = propagate.extract(carrier, TraceContext())
    if ctx.lease.token == 1 and LATER not in carrier:
        return origin, []
    found = trace.get_current_span(origin).get_span_context()
    return TraceContext(), [Link(found)] if found.is_valid else []


def _carrier(text: str | None) -> Mapping[str, str]:
    """A row may hold anything; what cannot be read begins a new trace."""
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(text or "{}", type=dict[str, str])
    return {}


def _text(job_id: bytes) -> str:
    return str(UUID(bytes=job_id))
