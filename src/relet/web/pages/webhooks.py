"""Who is told of what, what was sent, and the attempts to send one message."""

from __future__ import annotations

from relet.job.webhook import EVENTS
from relet.web.pages.page import Facts, Look, Page

PAGE = 50
STATES = ("pending", "delivered", "failed", "dropped")


def gather(look: Look) -> Facts:
    """All webhooks, and a page of messages."""
    asked = {name: look.query[name] for name in ("webhook", "state", "before") if look.asked(name)}
    found = look.read("webhooks.deliveries", **asked, limit=PAGE)
    return {
        "webhooks": look.read("webhooks.list")["webhooks"],
        "deliveries": found["deliveries"],
        "next": found["next"],
        "asked": asked,
        "states": STATES,
        "events": EVENTS,
    }


def gather_one(look: Look) -> Facts:
    """One message."""
    return look.read("webhooks.delivery", id=look.places["id"])


PAGES = (
    Page("webhooks", "/webhooks", "Webhooks", "webhooks.list", gather, key="h", live=("list", "rows")),
    Page("delivery", "/deliveries/{id}", "Message", "webhooks.delivery", gather_one, under="webhooks", live=("facts",)),
)
