"""Routines of code and schedules of people: when they run, how their runs went; and one of them with its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relet.shapes.schedules import FiringOut, RoutineOut
from relet.web.pages.page import Facts, Look, Page

STRIP = 24
"""So many of the last due times are drawn."""
HISTORY = 50
Named = Sequence[RoutineOut]

DRAWN = 40
"""Of so many routines and schedules the last due times are drawn."""


def gather(look: Look) -> Facts:
    """All of both kinds."""
    routines: Named = look.read("routines.list")["routines"]
    schedules: Named = look.read("schedules.list")["schedules"] if look.may("schedules.list") else []
    drawn: Facts = {
        one["name"]: strip(look.read(f"{noun}.history", name=one["name"], limit=STRIP)["firings"])
        for noun, found in (("routines", routines), ("schedules", schedules))
        for one in found[:DRAWN]
        if look.may(f"{noun}.history")
    }
    return {"kinds": [("routines", routines), ("schedules", schedules)], "strips": drawn, "length": STRIP}


def strip(firings: Sequence[FiringOut]) -> list[Any]:
    """Due times for drawing, the oldest first: (state, firing)."""
    return [(state_of(firing), firing) for firing in reversed(firings)]


def state_of(firing: FiringOut) -> str:
    """What became of a due time, as a state."""
    if firing["job_id"] is None:
        return "waiting"
    return firing["outcome"] or "running"


def _one(noun: str) -> Any:
    def gather_one(look: Look) -> Facts:
        name = look.places["name"]
        before = {"before": look.query["before"]} if look.asked("before") else {}
        history = look.read(f"{noun}.history", name=name, limit=HISTORY, **before)
        return {
            "noun": noun,
            "one": look.read(f"{noun}.show", name=name),
            "firings": [(state_of(firing), firing) for firing in history["firings"]],
            "next": history["next"],
        }

    return gather_one


PAGES = (
    Page("routines", "/routines", "Routines & schedules", "routines.list", gather, key="s", live=("list",)),
    Page(
        "routine", "/routines/{name}", "Routine", "routines.show", _one("routines"), under="routines", live=("facts",)
    ),
    Page(
        "schedule",
        "/schedules/{name}",
        "Schedule",
        "schedules.show",
        _one("schedules"),
        under="routines",
        live=("facts",),
        drawn_as="routine",
    ),
)
