"""Who makes a request, and what for: roles, and scopes of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import Literal, Self

from relet.errors import UsageError
from relet.job.nearest import nearest

EVERYTHING = ("*",)

_WILD = frozenset("*?[")


class Role(IntEnum):
    """What somebody may do; each may what those before it may."""

    VIEWER = 1
    """Read."""
    OPERATOR = 2
    """Change jobs, queues, dead letters and what else runs."""
    ADMIN = 3
    """Say who may come in, and read what others did."""

    @property
    def word(self) -> str:
        """As it is written and shown."""
        return self.name.lower()

    @classmethod
    def read(cls, word: str) -> Self:
        """The role of this name. Raises UsageError."""
        try:
            return cls[word.upper()]
        except KeyError:
            words = [role.word for role in cls]
            raise UsageError(f"role {word!r} is none of {', '.join(words)}. {nearest(word, words)}".strip()) from None


Via = Literal["token", "browser", "open"]
"""How somebody came in: with a token, signed in with a browser, or where nobody has to say who they are."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who makes requests."""

    name: str
    role: Role
    via: Via
    scopes: Sequence[str] = EVERYTHING
    """Patterns of the endpoints that they may use, such as "jobs.*"."""
    csrf: str = ""
    """What a browser has to say with each change, so that no other site can make it speak."""

    def may(self, endpoint: str, role: Role) -> bool:
        """Whether they may use an endpoint that is for this role."""
        return self.role >= role and any(fnmatchcase(endpoint, scope) for scope in self.scopes)

    def has(self, scope: str) -> bool:
        """Whether all that a token of this scope is for is among what they came in for."""
        if scope in self.scopes or "*" in self.scopes:
            return True
        return not _WILD.intersection(scope) and any(fnmatchcase(scope, own) for own in self.scopes)
