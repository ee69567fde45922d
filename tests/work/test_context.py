"""What a running task sees, with a line that keeps what it is told."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from relet import current
from relet.context import MOST_LINES, Context, enter
from relet.errors import LeaseLost, UsageError
from relet.facts import Facts, Fire
from relet.job.job import Fired
from relet.job.outcome import Cancel
from relet.store.records import LogLine, Progress, Usage

JOB = b"j" * 16


class Line:
    """Keeps what a task says; its answers are set by the test."""

    def __init__(self) -> None:
        self.notes: list[Any] = []
        self.reason: str | None = None
        self.leaving: str | None = None
        self.is_lost = False
        self.left_us = 5_000_000
        self.callbacks: list[Callable[[], object]] = []

    def now(self) -> int:
        return 1_700_000_000_000_000

    def note(self, note: Any) -> None:
        self.notes.append(note)

    def asked(self) -> str | None:
        return self.reason

    def stopping(self) -> str | None:
        return self.reason or self.leaving

    def lost(self) -> bool:
        return self.is_lost

    def lease_left_us(self) -> int:
        return self.left_us

    def on_lost(self, callback: Callable[[], object]) -> None:
        self.callbacks.append(callback)

    def begin_effects(self) -> Any:
        raise NotImplementedError

    def drop_effects(self, error: BaseException) -> None:
        raise NotImplementedError


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def ctx(line: Line) -> Context:
    return Context(Facts(JOB, 4, "t", "q", 2, 1, "w-1", {"tenant": "x"}), line)


def test_facts_of_the_run(ctx: Context) -> None:
    assert (ctx.task, ctx.queue, ctx.attempt, ctx.crashes, ctx.epoch) == ("t", "q", 2, 1, 4)
    assert (ctx.lease.token, ctx.lease.worker_id, ctx.tags) == (4, "w-1", {"tenant": "x"})
    assert ctx.job_id.bytes == JOB
    assert ctx.idempotency_key == str(ctx.job_id)


def test_lease_counts_down_and_ends(ctx: Context, line: Line) -> None:
    assert ctx.lease.remaining == 5.0
    assert ctx.lease.expires_at == datetime.fromtimestamp(1_700_000_005, UTC)
    ctx.lease.check()
    line.left_us = 0
    with pytest.raises(LeaseLost):
        ctx.lease.check()


def test_lost_lease_is_told(ctx: Context, line: Line) -> None:
    line.is_lost, line.reason = True, "taken back"
    assert ctx.lease.remaining == 0.0
    with pytest.raises(LeaseLost):
        ctx.raise_if_cancelled()


def test_cancelled_run_is_told(ctx: Context, line: Line) -> None:
    ctx.raise_if_cancelled()
    assert not ctx.cancelled
    line.reason = "enough"
    assert ctx.cancelled
    with pytest.raises(Cancel, match="enough"):
        ctx.raise_if_cancelled()


def test_progress_stays_within_bounds(ctx: Context, line: Line) -> None:
    ctx.progress(150, "x" * 10_000)
    (note,) = line.notes
    assert isinstance(note, Progress)
    assert note.percent == 100.0
    assert len(note.message) <= 4_000
    with pytest.raises(UsageError):
        ctx.progress(float("nan"))


def test_log_lines_are_numbered_and_bounded(ctx: Context, line: Line) -> None:
    for n in range(MOST_LINES + 5):
        ctx.log("line", n=n)
    assert len(line.notes) == MOST_LINES + 1
    last = line.notes[-1]
    assert isinstance(last, LogLine)
    assert last.message == "only the first 10,000 lines of a run are kept"


@pytest.mark.parametrize("value", [object(), float("nan"), "\ud800", "\x00", {1: {2}}, "x" * 100_000, b"\xff"])
def test_fields_of_a_log_line_may_be_anything(ctx: Context, line: Line, value: object) -> None:
    ctx.log("\ud800\x00", value=value)
    (note,) = line.notes
    assert note.fields.encode()
    assert len(note.fields) < 10_000
    assert "\x00" not in note.message + note.fields


def test_money_is_never_a_float(ctx: Context, line: Line) -> None:
    ctx.cost(Decimal("1E-7"), model="m", input_tokens=2)
    (note,) = line.notes
    assert isinstance(note, Usage)
    assert (note.kind, note.amount, note.unit) == ("cost", "0.0000001", "USD")
    with pytest.raises(UsageError, match="money is no float"):
        ctx.cost(0.1)  # type: ignore[arg-type]
    for amount in ("nan", "inf", "much"):
        with pytest.raises(UsageError, match="not a finite decimal"):
            ctx.cost(amount)


def test_usage_has_a_line_for_each_amount(ctx: Context, line: Line) -> None:
    ctx.usage(pages=3, gpu_seconds=1.5)
    assert [(note.n, note.kind, note.amount) for note in line.notes] == [(0, "pages", "3"), (1, "gpu_seconds", "1.5")]


def test_current_run_is_known_only_inside_of_one(ctx: Context) -> None:
    from contextvars import copy_context

    class Running:
        context = ctx

    with pytest.raises(UsageError, match="outside of a running task"):
        current()

    def inside() -> Context:
        enter(Running())
        return current()

    assert copy_context().run(inside) is ctx
    with pytest.raises(UsageError):
        current()


def test_a_run_is_stopping_before_it_is_cancelled(ctx: Context, line: Line) -> None:
    assert (ctx.stopping, ctx.cancelled) == (False, False)
    line.leaving = "the worker was stopping"
    assert (ctx.stopping, ctx.cancelled) == (True, False)
    line.reason = "its time is up"
    assert (ctx.stopping, ctx.cancelled) == (True, True)


def test_a_run_knows_the_firing_that_made_it(ctx: Context, line: Line) -> None:
    assert ctx.fire is None
    fired = Fired("report", 1_700_000_060_000_000, 1_700_000_000_000_000, 2, "due")
    fire = Context(Facts(JOB, 1, "t", fired=fired), line).fire
    at = datetime(2023, 11, 14, 22, 14, 20, tzinfo=UTC)
    assert fire == Fire(at, at - timedelta(minutes=1), 2, "due", "report")
