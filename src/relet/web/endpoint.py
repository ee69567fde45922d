"""An endpoint: what can be asked or done over HTTP, said once. The API, its description, pages and tests are made of it.

An endpoint that changes something is an act. Whoever may not use it is refused, and what they did is written down, in the
one place through which all of them go: `relet.web.perform`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_type_hints

import msgspec

from relet.app import App
from relet.store.port import Store
from relet.web.visitor import Role, Visitor

_PLACE = re.compile(r"\{(\w+)\}")


class Input(msgspec.Struct, forbid_unknown_fields=True):
    """What an endpoint takes: from its path, its query and its body together."""


@dataclass(slots=True)
class Trace:
    """What the audit log is told beside who and what."""

    done: int | None = None
    """How many things were changed."""
    was: Any = None
    became: Any = None


@dataclass(frozen=True, slots=True)
class Call:
    """One use of an endpoint."""

    app: App
    store: Store
    """For reading, and for verbs that the app has no words for. For this call alone."""
    visitor: Visitor
    job_id: bytes
    """The id for a job that this call makes: the same one, if the request is repeated under its key."""
    trace: Trace = field(default_factory=Trace)

    @property
    def by(self) -> str:
        """In whose name something is changed."""
        return self.visitor.name


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One thing that can be asked or done. Its first sentence for people is that of its function's docstring."""

    name: str
    """`noun.verb`: what tokens are scoped by, and what the audit log says."""
    method: str
    path: str
    """Below the root of the API; `{name}` is a field of what it takes."""
    role: Role
    run: Callable[[Call, Any], Any]
    status: int = 200
    shared: bool = False
    """Its answer takes some time to make, and is the same for all who may ask: it may be a second old."""

    @property
    def takes(self) -> type[Input]:
        """The type of what it takes."""
        return next(kind for name, kind in _hints(self.run).items() if name not in ("call", "return"))

    @property
    def gives(self) -> Any:
        """The type of what it answers."""
        return _hints(self.run)["return"]

    @property
    def changes(self) -> bool:
        """Whether it is an act."""
        return self.method != "GET"

    @property
    def noun(self) -> str:
        """What it is about: jobs, queues, …"""
        return self.name.partition(".")[0]

    @property
    def places(self) -> tuple[str, ...]:
        """The fields that stand in its path."""
        return tuple(_PLACE.findall(self.path))

    @property
    def words(self) -> str:
        """Its whole docstring."""
        return (self.run.__doc__ or "").strip()

    def subject(self, given: Input) -> str:
        """What an act is done to, for the audit log: the first field of its path."""
        return str(getattr(given, self.places[0])) if self.places else ""


@cache
def _hints(run: Callable[[Call, Any], Any]) -> dict[str, Any]:
    """What a function takes and gives; evaluated once."""
    return get_type_hints(run)
