"""Changing some fields of a limit, and leaving the others as they are."""

from __future__ import annotations

from enum import Enum

from relet.job.limits import Rule, rule_of


class Kept(Enum):
    """What is not given, and stays as it is."""

    KEPT = "as it is"


KEPT = Kept.KEPT
_FIELDS = {"concurrency": "concurrency", "rate": "rates", "per_worker": "per_worker"}


def rule_and_kept(**given: int | str | Kept | None) -> tuple[Rule, list[str]]:
    """The rule of what is given, and the names of its fields that are not, and stay. Raises UsageError."""
    rule = rule_of(**{name: value for name, value in given.items() if not isinstance(value, Kept)})  # type: ignore[arg-type]  # by name
    return rule, [_FIELDS[name] for name, value in given.items() if isinstance(value, Kept)]
