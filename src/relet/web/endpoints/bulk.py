"""One change made to many things: counted first, bounded in time, and each refusal told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypedDict, TypeVar

from relet.clock import SECOND, Clock
from relet.errors import NotFound, Refused
from relet.shapes.schema import ChangeOut

T = TypeVar("T")

AT_MOST_US = 20 * SECOND
"""How long one request changes things; the next one goes on."""
MOST_TOLD = 100


class BulkOut(TypedDict):
    """What became of many: with `dry_run`, what would."""

    matched: int
    """How many were found; with `more`, so far."""
    done: int
    refused: list[ChangeOut]
    """The first hundred that were not changed, and why."""
    more: bool
    """There was no time for all: ask again."""


def each(
    clock: Clock, found: Iterable[T], id_of: Callable[[T], str], change: Callable[[T], ChangeOut], *, dry_run: bool
) -> BulkOut:
    """Change one after the other. What has changed meanwhile is refused, and the others go on."""
    answer = BulkOut(matched=0, done=0, refused=[], more=False)
    until = clock.steady() + AT_MOST_US
    for one in found:
        if clock.steady() > until:
            answer["more"] = True
            break
        answer["matched"] += 1
        if dry_run:
            continue
        try:
            made = change(one)
        except (Refused, NotFound) as error:
            made = ChangeOut(id=id_of(one), done=False, did="", state=None, why=str(error))
        if made["done"]:
            answer["done"] += 1
        elif len(answer["refused"]) < MOST_TOLD:
            answer["refused"].append(made)
    return answer


def done(of: str, did: str, state: str | None = None) -> ChangeOut:
    """It was changed."""
    return ChangeOut(id=of, done=True, did=did, state=state, why="")


def refused(of: str, why: str, state: str | None = None) -> ChangeOut:
    """It was not."""
    return ChangeOut(id=of, done=False, did="", state=state, why=why)
