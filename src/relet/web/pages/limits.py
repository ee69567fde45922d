"""Limits by name and key and circuit breakers; and the keys of one limit."""

from __future__ import annotations

from relet.web.pages.page import Facts, Look, Page

KEYS = 50


def gather(look: Look) -> Facts:
    """All limits and breakers."""
    return {
        "limits": look.read("limits.list")["limits"],
        "breakers": look.read("breakers.list")["breakers"] if look.may("breakers.list") else [],
    }


def gather_one(look: Look) -> Facts:
    """The keys of one limit."""
    after = {"after": look.query["after"]} if look.asked("after") else {}
    return look.read("limits.show", name=look.places["name"], limit=KEYS, **after)


PAGES = (
    Page("limits", "/limits", "Limits & breakers", "limits.list", gather, key="l", live=("list", "breakers")),
    Page("limit", "/limits/{name}", "Limit", "limits.show", gather_one, under="limits", live=("rows",)),
)
