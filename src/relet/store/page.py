"""The words of paging and filtering that all lists share: what stands for "no condition" in their statements."""

from __future__ import annotations

FIRST_ID = b"\x00" * 16
LAST_ID = b"\xff" * 16
FIRST_AT = 0
LAST_AT = 2**62
ANY_TEXT = ""
LONGEST_PAGE = 1_000


def page_size(limit: int) -> int:
    """How many rows a page may have: what was asked for, within reason."""
    return max(0, min(limit, LONGEST_PAGE))
