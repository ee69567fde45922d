"""Jobs: by state, by what is asked in the query bar, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from relet.job.state import State
from relet.shapes.schema import JobOut
from relet.web.pages.asking import Asked
from relet.web.pages.page import Facts, Look, Page
from relet.web.words import CAP

PAGE = 50

ENDED_NOTE = f"of the newest {CAP:,} that ended"


class Chip(TypedDict):
    """A state to be chosen."""

    state: str
    """Empty: all of them."""
    count: int | None
    """None: it is not known for what is asked."""
    note: str
    """What the count is of."""
    q: str
    chosen: bool


def gather(look: Look) -> Facts:
    """Its facts."""
    asked = Asked.read(look.query.get("q", ""))
    before = look.asked("before")
    return {
        "q": str(asked),
        "asked": asked,
        "chips": _chips(look, asked),
        "acts": [name for name in acts_for(asked.fields.get("state")) if look.may(name)],
        "again": before is not None,
        "tasks": look.read("tasks.list")["tasks"] if look.may("jobs.enqueue") and look.may("tasks.list") else [],
        **(_searched(look, asked, before) if asked.text else _listed(look, asked, before)),
    }


def acts_for(state: str | None) -> tuple[str, ...]:
    """What can be done with jobs of this state, the likeliest first."""
    if state == "dead":
        return ("dead.retry-matching", "dead.resolve-matching", "dead.delete-matching")
    if state in ("succeeded", "cancelled"):
        return ("jobs.delete-matching",)
    return ("jobs.cancel-matching",) if state else ("jobs.cancel-matching", "jobs.delete-matching")


def _listed(look: Look, asked: Asked, before: str | None) -> Facts:
    found = look.read("jobs.list", **asked.fields, **_behind(before), limit=PAGE)
    return {**found, "search": None, "matching": _matching(asked)}


def _searched(look: Look, asked: Asked, before: str | None) -> Facts:
    found = look.read("jobs.search", **asked.fields, **_behind(before), text=asked.text)
    jobs: list[JobOut] = found["jobs"]
    return {"jobs": jobs, "next": found["next"], "back_to": found["back_to"], "search": found, "matching": None}


def _behind(before: str | None) -> dict[str, str]:
    return {} if before is None else {"before": before}


def _matching(asked: Asked) -> Mapping[str, str] | None:
    """What "all that match" says to an act. None: acts cannot be asked for that."""
    fields = dict(asked.fields)
    if fields.get("state") == "dead":
        del fields["state"]
        return None if {"worker", "stuck"} & fields.keys() else fields
    return fields


def _chips(look: Look, asked: Asked) -> list[Chip]:
    """All states, with counts where these are known without looking at each job."""
    counts: Mapping[State, int] = {}
    if not asked.text and not asked.fields.keys() - {"state"}:
        counts = look.call.store.insights.counts(CAP)
    ended = counts.get(State.SUCCEEDED, 0) + counts.get(State.CANCELLED, 0)
    chosen = asked.fields.get("state", "")
    every = Chip(state="", count=None, note="", q=str(asked.with_field("state", None)), chosen=not chosen)
    return [every, *(_chip(asked, state, counts.get(state), chosen, cut=ended >= CAP) for state in State)]


def _chip(asked: Asked, state: State, count: int | None, chosen: str, *, cut: bool) -> Chip:
    note = ENDED_NOTE if cut and state in (State.SUCCEEDED, State.CANCELLED) else ""
    return Chip(
        state=state.value,
        count=count,
        note=note,
        q=str(asked.with_field("state", state.value)),
        chosen=chosen == state.value,
    )


PAGES = (Page("jobs", "/jobs", "Jobs", "jobs.list", gather, key="j", live=("chips", "rows")),)
