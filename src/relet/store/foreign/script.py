"""The enqueue script over a foreign connection: in a savepoint, so that a refusal leaves nothing of it behind.

The order of statements is one generator; a connection only runs them, blocking or awaited.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator

from relet.store.enqueue import Script
from relet.store.link import Row
from relet.store.records import Enqueued
from relet.store.script import Step

SAVEPOINT = "savepoint relet_enqueue"
ROLL_BACK = "rollback to savepoint relet_enqueue"
RELEASE = "release savepoint relet_enqueue"

Wanted = str | Step
"""SQL as it is, or a named statement."""

Enqueueing = Generator[Wanted, list[Row], list[Enqueued]]


def enqueueing(steps: Script) -> Enqueueing:
    """Enqueue all or none within the transaction that is open."""
    yield SAVEPOINT
    try:
        answers = yield from steps
    except BaseException:
        yield ROLL_BACK
        yield RELEASE
        raise
    yield RELEASE
    return answers


def drive(steps: Enqueueing, run: Callable[[Wanted], list[Row]]) -> list[Enqueued]:
    """Run a script; an error of the connection goes through it, so that it can tidy up."""
    try:
        wanted = next(steps)
        while True:
            try:
                rows = run(wanted)
            except Exception as error:  # noqa: BLE001  the script raises it again
                wanted = steps.throw(error)
            else:
                wanted = steps.send(rows)
    except StopIteration as done:
        return done.value


async def adrive(steps: Enqueueing, run: Callable[[Wanted], Awaitable[list[Row]]]) -> list[Enqueued]:
    """The same, awaited."""
    try:
        wanted = next(steps)
        while True:
            try:
                rows = await run(wanted)
            except Exception as error:  # noqa: BLE001  the script raises it again
                wanted = steps.throw(error)
            else:
                wanted = steps.send(rows)
    except StopIteration as done:
        return done.value
