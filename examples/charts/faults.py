"""What is wrong with a specification, in its own terms: each fault is named by its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = dict[str, Any]
"""An object, as JSON has it."""


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    at: str
    """The place, as a JSON pointer (RFC 6901) such as `/encoding/x/field`; empty: the whole."""
    says: str


class Faulty(Exception):
    """A chart cannot be drawn as it was asked for."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.at or '/'}: {fault.says}" for fault in faults))
        self.faults = tuple(faults)


def faulty(at: str, says: str) -> Faulty:
    """The error for a single fault."""
    return Faulty([Fault(at, says)])


def below(at: str, *steps: str | int) -> str:
    """The place that is reached from a place by these steps."""
    return at + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
