"""A page: where it stands, who may see it, and how its facts are gathered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from relet.web.api import converted
from relet.web.endpoint import Call
from relet.web.endpoints import BY_NAME
from relet.web.perform import check

Facts = dict[str, Any]

ROOT = "/admin/workers"
"""Where the dashboard stands below the root of the site."""


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looks at a page: who, with what in the address, and a store to read from."""

    call: Call
    query: Mapping[str, str]
    """What stands behind the question mark."""
    places: Mapping[str, str]
    """What stands in the path."""

    def read(self, name: str, /, **given: Any) -> Any:
        """What an endpoint answers, if they may use it. Raises Problem."""
        endpoint = BY_NAME[name]
        check(endpoint, self.call.visitor)
        return endpoint.run(self.call, converted(given, endpoint.takes))

    def may(self, name: str) -> bool:
        """Whether they may use an endpoint."""
        return self.call.visitor.may(name, BY_NAME[name].role)

    def asked(self, name: str) -> str | None:
        """A word of the query; None: it is not said, or empty."""
        return self.query.get(name) or None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the dashboard."""

    name: str
    path: str
    title: str
    needs: str
    """The endpoint that whoever looks at it has to be allowed to use."""
    gather: Callable[[Look], Facts]
    key: str = ""
    """With `g` before it, this key goes there. Without one, it is not in the navigation."""
    under: str = ""
    """The page of the navigation that it belongs to."""
    live: tuple[str, ...] = ()
    """The blocks of its template that are sent anew while somebody looks."""
    drawn_as: str = ""
    """The page whose template it has; by default it has one of its name."""

    @property
    def template(self) -> str:
        """The file of its template."""
        return f"{self.drawn_as or self.name}.html"

    @property
    def section(self) -> str:
        """The page of the navigation that is marked while it is shown."""
        return self.under or self.name
