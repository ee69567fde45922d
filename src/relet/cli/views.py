"""The views of `top`: what each reads of the store, and how its rows look."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relet.cli import dead, jobs, queues, routines, workers
from relet.cli.table import Column, Style
from relet.clock import SECOND
from relet.overview import gather
from relet.shapes import records
from relet.shapes.schema import LeaseOut, WorkerOut
from relet.shapes.words import ago, at_of
from relet.store.port import Store
from relet.store.rows import DeadFilter, JobFilter

ROWS = 200
BAR = 8

Row = Mapping[str, Any]


@dataclass(frozen=True)
class View:
    """One view: the letter behind `g`, its rows, and its columns at a store time."""

    letter: str
    name: str
    rows: Callable[[Store], Sequence[Row]]
    columns: Callable[[int, Style], list[Column]]


def bar(remaining: float, style: Style) -> str:
    """The lease bar: drains while nobody renews."""
    full, empty = ("▓", "░") if style.glyphs else ("#", ".")
    filled = max(0, min(BAR, round(remaining * BAR)))
    return full * filled + empty * (BAR - filled)


def _worker_columns(now: int, style: Style) -> list[Column]:
    def lease(worker: WorkerOut) -> str:
        left = 1 - (now - at_of(worker["renewed_at"])) / (worker["lease_seconds"] * SECOND)
        return bar(left, style)

    found = workers.columns(now)
    return [*found[:3], Column("lease left", lease), *(column for column in found[3:] if column.title != "lease")]


def _lease_columns(now: int, style: Style) -> list[Column]:
    def left(lease: LeaseOut) -> str:
        return "lapsed" if lease["expired"] else ago(lease["locked_until"], now).removeprefix("in ")

    return [
        Column("id", lambda lease: lease["id"]),
        Column("task", lambda lease: lease["task"], flexible=True),
        Column("worker", lambda lease: lease["worker"], flexible=True),
        Column("claim", lambda lease: lease["claim"], right=True),
        Column("runs for", lambda lease: ago(lease["claimed_at"], now), right=True),
        Column("lease left", left, right=True),
        Column("progress", _progress(style), flexible=True),
    ]


def _progress(style: Style) -> Callable[[LeaseOut], str]:
    def text(lease: LeaseOut) -> str:
        if lease["percent"] is None:
            return lease["message"] or ""
        return f"{bar(lease['percent'] / 100, style)} {lease['percent']:.0f} % {lease['message'] or ''}"

    return text


VIEWS: tuple[View, ...] = (
    View("o", "overview", lambda store: [gather(store)], lambda _now, _style: []),
    View(
        "j",
        "jobs",
        lambda store: [records.job_out(row) for row in store.insights.jobs(JobFilter(limit=ROWS))],
        lambda now, _style: jobs.columns(now),
    ),
    View(
        "q",
        "queues",
        lambda store: [records.queue_out(row) for row in store.insights.queues()],
        lambda now, _style: queues.columns(now),
    ),
    View(
        "r",
        "routines and schedules",
        lambda store: [routines.record_of(store, row) for row in store.insights.schedules()[:ROWS]],
        lambda now, _style: routines.columns(now),
    ),
    View(
        "w",
        "workers",
        lambda store: [records.worker_out(row) for row in store.insights.sessions()],
        _worker_columns,
    ),
    View(
        "l",
        "leases",
        lambda store: [records.lease_out(row) for row in store.insights.leases(ROWS)],
        _lease_columns,
    ),
    View(
        "d",
        "dead letters",
        lambda store: [records.dead_out(row) for row in store.insights.dead(DeadFilter(limit=ROWS))],
        lambda now, _style: dead.columns(now),
    ),
)
BY_LETTER = {view.letter: view for view in VIEWS}
