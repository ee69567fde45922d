"""Parts of a rule as requests say them: left out, they stay as they are; "none" takes them away."""

from __future__ import annotations

from relet.errors import UsageError
from relet.kept import KEPT, Kept


def number_or_kept(said: int | str | None, name: str) -> int | Kept | None:
    """A number, "none", or nothing. Raises UsageError."""
    if isinstance(said, str):
        if said != "none":
            raise UsageError(f"{name}: {said!r} is neither a number nor none. Nothing was changed.")
        return None
    return KEPT if said is None else said


def text_or_kept(said: str | None) -> str | Kept | None:
    """A text, "none", or nothing."""
    return KEPT if said is None else None if said == "none" else said
