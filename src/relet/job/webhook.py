"""Webhooks: who hears of what, and how a message looks and is signed. Pure.

Messages are signed as Standard Webhooks 1.0.0 says (standardwebhooks.com): `webhook-signature` has an HMAC-SHA256 of
"id.timestamp.body" by each secret that counts. The id is that of the message and stays the same over all attempts.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import urlsplit

import msgspec

from relet.clock import DAY, SECOND
from relet.errors import UsageError
from relet.job.moment import from_at
from relet.job.names import checked_name, queue_name, task_name
from relet.job.nearest import nearest
from relet.job.retry import Retry
from relet.job.textsafe import shown

QUEUE, TASK, LIMIT = "webhooks", "webhooks:deliver", "webhooks:receiver"
"""Where messages wait, what sends them, for each is a job, and the limit that holds each receiver."""

TEST = "webhook.test"
ALL = "*"

EVENTS: Mapping[str, str] = {
    "job.succeeded": "A job has succeeded.",
    "job.failed": "An attempt of a job has failed; the job may be tried again.",
    "job.dead": "A job is in the dead letters.",
    "job.cancelled": "A job was cancelled, or skipped because of what it came after.",
    "job.recovered": "A job was taken back from a worker that had died.",
    "queue.paused": "A queue was paused.",
    "queue.resumed": "A pause of a queue has ended.",
    "schedule.disabled": "A schedule or routine was disabled, by a person or by its failures.",
    "breaker.opened": "A circuit breaker has opened.",
    "breaker.closed": "A circuit breaker has closed.",
    "health.changed": "A queue, a worker or all of them together became healthy, or are not any more.",
}

Format = Literal["standard", "cloudevents"]

BODY_BYTES = 20_000
"""The largest body, as Standard Webhooks recommends."""

NAME_BYTES = 100
URL_CHARS = 2_000
PREFIX = "whsec_"
_SECRET_BYTES = (24, 64)
_PORTS = frozenset(
    (0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102)
) | {
    *(
        103,
        104,
        109,
        110,
        111,
        113,
        115,
        117,
        119,
        123,
        135,
        137,
        139,
        143,
        161,
        179,
        389,
        427,
        465,
        512,
        513,
        514,
        515,
    ),
    *(
        526,
        530,
        531,
        532,
        540,
        548,
        554,
        556,
        563,
        587,
        601,
        636,
        989,
        990,
        993,
        995,
        1719,
        1720,
        1723,
        2049,
        3659,
        4045,
    ),
    *(5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6697, 11211),
}
"""Ports of other protocols, which must not be talked to by way of HTTP: those of the Fetch standard, and two of caches."""

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
WAITS = ("5s", "30s", "2m", "10m", "30m", "1h", "2h", "3h", "4h", "6h", "6h")
RETRY = Retry(len(WAITS) + 1, backoff=WAITS)
"""Twelve attempts within 23 hours."""
GIVE_UP_US = DAY
MOST_AT_ONCE = 5
"""Messages on their way to one receiver, in the whole cluster."""
SHORTEST_WAIT_US, LONGEST_WAIT_US = SECOND, HOUR
"""Bounds for what a receiver asks for by Retry-After."""
ROTATION_US = DAY
"""So long a former secret signs, too."""


class Secret(msgspec.Struct, frozen=True, array_like=True):
    """A signing secret, until then; None: for good."""

    text: str
    until: int | None = None


class Webhook(msgspec.Struct, frozen=True):
    """A receiver: its address, and what it hears of."""

    name: str
    url: str
    events: tuple[str, ...]
    queues: tuple[str, ...] = ()
    """Only of jobs of these; empty: of all."""
    tasks: tuple[str, ...] = ()
    format: Format = "standard"


class Happened(NamedTuple):
    """What a message tells."""

    id: bytes
    event: str
    at: int
    job_id: bytes | None
    epoch: int


def webhook_of(
    name: str,
    url: str,
    events: Iterable[str],
    queues: Iterable[str] = (),
    tasks: Iterable[str] = (),
    form: Format = "standard",
) -> Webhook:
    """A receiver, checked. Raises UsageError."""
    if form not in get_args(Format):
        raise UsageError(f"format={shown(form)}: use 'standard' or 'cloudevents'.")
    return Webhook(
        webhook_name(name),
        checked_url(url),
        checked_events(events),
        tuple(sorted({queue_name(queue) for queue in queues})),
        tuple(sorted({task_name(task) for task in tasks})),
        form,
    )


def webhook_name(text: str) -> str:
    """`text`, if it can name a webhook. Raises UsageError."""
    return checked_name("webhook name", text, NAME_BYTES)


def checked_events(events: Iterable[str]) -> tuple[str, ...]:
    """The events, sorted; "*" alone stands for all. Raises UsageError."""
    wanted = {events} if isinstance(events, str) else {*events}
    if ALL in wanted:
        return (ALL,)
    if not wanted:
        raise UsageError(f"A webhook hears of something; there are {', '.join(EVENTS)}, and * for all.")
    for event in sorted(wanted - EVENTS.keys(), key=str):
        close = nearest(event, EVENTS)
        advice = f"did you mean {close!r}?" if close else f"there are {', '.join(EVENTS)}, and * for all."
        raise UsageError(f"There is no event {shown(event)}; {advice}")
    return tuple(sorted(wanted))


def checked_url(url: str) -> str:
    """An address that messages may be sent to, as far as it tells. Where it leads is checked when it is connected to. Raises
    UsageError."""
    flaw = _flaw(url)
    if flaw:
        raise UsageError(f"webhook address {shown(url)}: {flaw}.")
    return url


def _flaw(url: str) -> str | None:
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:  # pyright: ignore[reportUnnecessaryIsInstance]  callers without a type checker
        return "it is no ASCII text, or holds spaces or control characters"
    if len(url) > URL_CHARS:
        return f"it is longer than {URL_CHARS} characters"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"it cannot be read: {error}"
    if parts.scheme not in ("http", "https") or not host:
        return "it has to begin with https:// or http:// and a host"
    if "@" in parts.netloc or "\\" in url:
        return "it holds a user, a password or a backslash"
    if parts.fragment:
        return "it has a fragment, which no server is told of"
    return f"port {port} belongs to another protocol" if port in _PORTS else None


# ── secrets and signatures ────────────────────────────────────────────────────────────────────────────────────────────
def secret_of(raw: bytes) -> str:
    """Random bytes as a secret."""
    return PREFIX + b64encode(raw).decode()


def checked_secret(text: str) -> str:
    """A secret that was given, in its usual form. Raises UsageError, which does not show it."""
    try:
        raw = b64decode(text.removeprefix(PREFIX), validate=True)
    except (ValueError, Base64Error):
        raw = b""
    if not _SECRET_BYTES[0] <= len(raw) <= _SECRET_BYTES[1]:
        raise UsageError(
            f"A webhook secret is {PREFIX} and the base64 of 24 to 64 random bytes. Leave it out to have one made."
        )
    return secret_of(raw)


def live_secrets(secrets: Sequence[Secret], now: int) -> tuple[Secret, ...]:
    """Those that count, the newest first."""
    return tuple(secret for secret in secrets if secret.until is None or secret.until > now)


def rotated(secrets: Sequence[Secret], new: str, now: int, keep_us: int) -> tuple[Secret, ...]:
    """A new secret, and the former ones for so much longer at most."""
    ends = now + keep_us
    kept = [Secret(old.text, ends if old.until is None else min(old.until, ends)) for old in live_secrets(secrets, now)]
    return (Secret(new), *(old for old in kept if old.text != new and keep_us > 0))


def signature(secrets: Sequence[Secret], message: str, at_s: int, body: bytes) -> str:
    """The header of that name: one signature by each of these secrets."""
    signed = f"{message}.{at_s}.".encode() + body
    return " ".join(f"v1,{_hmac(secret.text, signed)}" for secret in secrets)


def _hmac(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(PREFIX))
    return b64encode(hmac.digest(key, signed, sha256)).decode()


def headers(
    secrets: Sequence[Secret],
    happened_id: bytes,
    now: int,
    body: bytes,
    form: str,
) -> dict[str, str]:
    """What is sent with a message. Without secrets it goes unsigned."""
    message, at_s = message_id(happened_id), now // SECOND
    found = {
        "content-type": "application/cloudevents+json" if form == "cloudevents" else "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(at_s),
    }
    return found | ({"webhook-signature": signature(secrets, message, at_s, body)} if secrets else {})


def message_id(delivery_id: bytes) -> str:
    """The id of a message, the same over all attempts."""
    return f"msg_{delivery_id.hex()}"


# ── the message ───────────────────────────────────────────────────────────────────────────────────────────────────────
_WEIGHTY = ("result", "args", "error")
"""Fields of a job that may be too long for a message, in the order in which they are left out."""


def body_of(happened: Happened, data: Mapping[str, Any], form: Format) -> str:
    """The body as it is sent. What is too long for it is left out, and named in `left_out`."""
    kept, left_out = dict(data), list[str]()
    while True:
        text = msgspec.json.encode(_envelope(happened, kept, form), enc_hook=str).decode()
        field = next((name for name in _WEIGHTY if kept.get(name) is not None), None)
        if len(text.encode()) <= BODY_BYTES or field is None:
            return text
        left_out.append(field)
        kept |= {field: None, "left_out": left_out}


def _envelope(happened: Happened, data: Mapping[str, Any], form: Format) -> dict[str, Any]:
    time = from_at(happened.at).isoformat().replace("+00:00", "Z")
    if form == "standard":
        return {"type": happened.event, "timestamp": time, "data": data}
    return {
        "specversion": "1.0",
        "id": message_id(happened.id),
        "source": "/relet",
        "type": f"relet.{happened.event}",
        "time": time,
        "datacontenttype": "application/json",
        **({} if happened.job_id is None else {"subject": happened.job_id.hex()}),
        "data": data,
    }
