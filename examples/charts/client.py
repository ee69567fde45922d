"""A client of the service: what any program would do over HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from examples.charts.faults import Json


class Answer(NamedTuple):
    """What the service said."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes

    @property
    def said(self) -> Json:
        """The content, if it is JSON."""
        return json.loads(self.content)


class Client:
    """Each request has a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._place = urlsplit(url).netloc

    def render(self, order: Json) -> Answer:
        """Ask for a chart."""
        return self._ask("POST", "/render", json.dumps(order).encode(), {"Content-Type": "application/json"})

    def get(self, path: str, **headers: str) -> Answer:
        """Read what is there. `if_none_match="…"` is a header."""
        return self._ask("GET", path, None, {name.replace("_", "-"): value for name, value in headers.items()})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, Any]) -> Answer:
        connection = http.client.HTTPConnection(self._place, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()
