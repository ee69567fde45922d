"""What people did, and who may come in."""

from __future__ import annotations

from relet.web.pages.page import Facts, Look, Page

PAGE = 50
ASKED = ("who", "act", "subject", "before")


def gather(look: Look) -> Facts:
    """The audit log, and tokens."""
    asked = {name: look.query[name] for name in ASKED if look.asked(name)}
    found = look.read("audit.list", **asked, limit=PAGE)
    return {
        "rows": found["audit"],
        "next": found["next"],
        "again": "before" in asked,
        "asked": asked,
        "tokens": look.read("tokens.list")["tokens"] if look.may("tokens.list") else [],
    }


PAGES = (Page("audit", "/audit", "Audit & tokens", "audit.list", gather, key="a", live=("rows",)),)
