"""Calls one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from relet.errors import UsageError
from relet.handles import Job
from relet.task import Call


class Chain:
    """Calls of which each runs when the one before it has succeeded. Iterating over it gives the calls, for enqueue_many."""

    def __init__(self, calls: tuple[Call[Any], ...]) -> None:
        self.calls = calls

    def enqueue(self, *, tx: object | None = None) -> list[Job[Any]]:
        """Enqueue all or none; their handles, in order: the last one's result is the chain's."""
        return self.calls[0].task.app.enqueue_many(self.calls, tx=tx)

    async def aenqueue(self, *, tx: object | None = None) -> list[Job[Any]]:
        """`enqueue` from async code."""
        return await self.calls[0].task.app.aenqueue_many(self.calls, tx=tx)

    def __iter__(self) -> Iterator[Call[Any]]:
        return iter(self.calls)

    def __repr__(self) -> str:
        return f"<Chain of {', '.join(call.task.name for call in self.calls)}>"


def chain(*calls: Call[Any]) -> Chain:
    """Let each call run when the one before it has succeeded: `chain(fetch.call(1), clean.call(), store.call()).enqueue()`.

    A call finds what the one before it returned in `ctx.parents[0].result`. If one dies or is cancelled, those behind it are
    skipped (cancelled), or what their `on_dep_failure` says. Raises UsageError for no calls.
    """
    if not calls or not all(type(call) is Call for call in calls):
        raise UsageError("chain(…) takes calls of tasks: chain(fetch.call(1), store.call()).")
    for before, call in pairwise(calls):
        call.after(before)
    return Chain(calls)
