"""Events: how logic tells what happened, without a word for people. Whoever listens decides what to make of them."""

from __future__ import annotations

from typing import Any, Protocol


class Emitter(Protocol):
    """Takes an event: a dotted name such as `job.failed`, and its facts.

    Never raises and never blocks for long: it is called on the paths that keep leases alive.
    """

    def __call__(self, event: str, /, **fields: Any) -> None: ...


def silent(event: str, /, **fields: Any) -> None:
    """The emitter that nobody listens to."""


def tee(*emitters: Emitter) -> Emitter:
    """One emitter that hands each event to all of these, in order."""
    if len(emitters) == 1:
        return emitters[0]

    def emit(event: str, /, **fields: Any) -> None:
        for emitter in emitters:
            emitter(event, **fields)

    return emit
