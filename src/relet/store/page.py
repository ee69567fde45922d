"""The words of paging and filtering that all lists share: what stands for "no condition" in their statements."""

from __future__ import annotations

FIRST_ID = bytes(16)
LAST_ID = b"\xff" * 16
ANY_TEXT = ""
ANY_TIME = -1
LONGEST_PAGE = 1_000


def page_size(limit: int) -> int:
    """How many rows a page may have: what was asked for, within reason."""
    return max(0, min(limit, LONGEST_PAGE))


def contains(part: str | None) -> str:
    """A pattern that finds the part anywhere, whatever its characters mean in patterns."""
    escaped = "".join(f"!{letter}" if letter in "!%_" else letter for letter in part or "")
    return f"%{escaped}%" if escaped else "%"


def id_behind(raw: bytes) -> bytes | None:
    """The next id: a page before it begins with this one, if it is there. None: there is none behind it."""
    number = int.from_bytes(raw) + 1
    return number.to_bytes(16) if number < 1 << 128 else None
