"""Dead letters, by cause; and those of one cause."""

from __future__ import annotations

from uuid import UUID

from relet.shapes import records
from relet.web.pages.page import Facts, Look, Page

PAGE = 50
PLACED = 25
"""Of so many causes it is said where in the code they come from."""

VIEWS = ("causes", "open", "resolved")


def gather(look: Look) -> Facts:
    """Its facts: causes, or letters one by one."""
    cause, asked = look.asked("cause"), look.query.get("view")
    view = "open" if cause else asked if asked in VIEWS else "causes"
    facts: Facts = {"view": view, "cause": cause, "again": "before" in look.query}
    return facts | (_causes(look) if view == "causes" else _letters(look, view == "resolved", cause))


def _causes(look: Look) -> Facts:
    found = look.read("dead.causes")
    places = {one["key"]: place_of(look, one["newest"]) for one in found["causes"][:PLACED]}
    return {**found, "places": places}


def _letters(look: Look, resolved: bool, cause: str | None) -> Facts:
    asked: Facts = {"causes": [cause]} if cause else {"resolved": resolved}
    if before := look.asked("before"):
        asked["before"] = before
    found = look.read("dead.list", **asked, limit=PAGE)
    one = [known for known in look.read("dead.causes")["causes"] if known["key"] == cause] if cause else []
    return {"letters": found["dead"], "total": found["total"], "next": found["next"], "about": one[0] if one else None}


def place_of(look: Look, job_id: str) -> str:
    """Where in the code the error of a dead letter was raised: the last line of its stack that names a place."""
    row = look.call.store.insights.dead_letter(UUID(job_id).bytes)
    lines = [] if row is None else [line.strip() for line in row.stack.splitlines() if line.strip().startswith("File ")]
    return (records.text_of(lines[-1]) or "") if lines else ""


PAGES = (Page("dead", "/dead", "Dead letters", "dead.list", gather, key="d", live=("list",)),)
