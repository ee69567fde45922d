"""Webhooks that come in: `@app.inbound("stripe", secret=…)` makes a job of each event that `POST /hooks/stripe` receives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from relet.errors import DefinitionError
from relet.job.inbound import PLAIN_HEADER, STYLES, Style, key_bytes
from relet.job.names import label_name
from relet.task import Task


class Received(msgspec.Struct, frozen=True):
    """One event as it came: what the task of a hook is given."""

    hook: str
    """Which hook received it."""
    id: str
    """As the sender calls it; empty: it has no name for it."""
    type: str
    """What happened, if a header says so."""
    at: datetime
    """When it was received first."""
    raw: str
    """The body, to the byte; one that is no UTF-8 has U+FFFD for what is not."""
    headers: dict[str, str]
    """Headers by names in lower case, without those that carry credentials."""

    def json(self) -> Any:
        """The body, decoded. Raises ValueError."""
        return msgspec.json.decode(self.raw)


@dataclass(frozen=True, slots=True)
class Hook:
    """A place that receives events, and who may send them."""

    name: str
    task: Task[[Received], Any]
    style: Style
    keys: tuple[bytes, ...] = field(repr=False)
    header: str
    parameter: str
    """The parameter of the task that takes the event."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who may send events to a hook, checked."""

    name: str
    style: Style
    keys: tuple[bytes, ...] = field(repr=False)
    header: str


def sender_of(name: str, secret: str | Sequence[str], style: Style, header: str | None) -> Sender:
    """Raises DefinitionError for secrets that anybody could guess."""
    if style not in STYLES:
        raise DefinitionError(f"style={style!r} is none of {', '.join(STYLES)}.")
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if not secrets:
        raise DefinitionError(f"Hook {name!r} has no secret, so anybody could enqueue its jobs.")
    keys = tuple(key_bytes(one, style) for one in secrets)
    return Sender(label_name(name), style, keys, (header or PLAIN_HEADER).lower())


def hook_of(task: Task[[Received], Any], sender: Sender) -> Hook:
    """The hook of a task. Raises DefinitionError for one that does not take an event."""
    parameters = list(task.codec.signature.parameters.values())
    if not parameters or any(other.default is other.empty for other in parameters[1:]):
        raise DefinitionError(f"{task.name} has to take one event, as in: def {task.fn.__name__}(event: Received).")
    return Hook(sender.name, task, sender.style, sender.keys, sender.header, parameters[0].name)


def received(hook: Hook, event_id: str, kind: str, at: datetime, body: bytes, headers: Mapping[str, str]) -> Received:
    """What its task is given."""
    shown = {name: value for name, value in headers.items() if name not in _CREDENTIALS}
    return Received(hook.name, event_id, kind, at, body.decode("utf-8", "replace"), shown)


_CREDENTIALS = frozenset(("authorization", "cookie", "proxy-authorization"))
