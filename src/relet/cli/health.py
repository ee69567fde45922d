"""`relet health`: which queues and workers are healthy, and why not."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags, add_store_flags
from relet.cli.safe import safe
from relet.cli.table import Column, laid_out
from relet.cli.target import opened, resolved
from relet.health import health_of
from relet.shapes.health import HealthOut, QueueHealthOut, WorkerHealthOut, health_out
from relet.shapes.words import ago


def configure(parser: Parser) -> None:
    parser.runs(run)
    add_store_flags(parser)
    add_output_flags(parser)


def run(args: Namespace, out: Output) -> int:
    settings = resolved(args, out)
    with opened(args, out, settings=settings) as store:
        now, found = store.now(), health_out(health_of(store, settings.health_rules))
    out.record(found, lambda: _lines(found, now, out))
    return Exit.OK if found["healthy"] else Exit.UNHEALTHY


def _lines(found: HealthOut, now: int, out: Output) -> Iterator[str]:
    how = "healthy" if found["healthy"] else out.style.paint(f"not healthy: {safe(found['because'])}", "31")
    since = f", for {ago(found['since'], now)}" if found["since"] else ""
    yield f"{how}{since}"
    if found["uptime_day"] is not None and found["uptime_month"] is not None:
        yield out.style.dim(
            f"healthy {found['uptime_day']:.2%} of the last day, {found['uptime_month']:.2%} of 30 days"
        )
    for records, columns in ((found["queues"], _queues(now)), (found["workers"], _workers(now))):
        if records:
            yield from ("", *laid_out(records, columns, out.style, out.width))


def _queues(now: int) -> list[Column]:
    return [
        Column("queue", lambda one: one["name"], flexible=True),
        *_standing(now),
        Column("ready", lambda one: one["ready"], right=True),
        Column("running", lambda one: one["running"], right=True),
        Column("failed", lambda one: one["failed"], right=True),
        Column("rate", lambda one: f"{one['failure_rate']:.1%}", right=True),
        _why(),
    ]


def _workers(now: int) -> list[Column]:
    return [
        Column("worker", lambda one: one["name"], flexible=True),
        *_standing(now),
        Column("running", lambda one: one["running"], right=True),
        Column("failed", lambda one: one["total_failed"], right=True),
        _why(),
    ]


def _standing(now: int) -> list[Column]:
    return [Column("health", _health), Column("for", lambda one: ago(one["since"], now), right=True, spare=True)]


def _health(one: QueueHealthOut | WorkerHealthOut) -> str:
    return "healthy" if one["healthy"] else "not healthy"


def _why() -> Column:
    return Column("why", lambda one: one["because"], flexible=True)
