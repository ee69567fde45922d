"""Webhooks that come in: whether they are from whom they say, and which event they are about. Pure: secrets, headers, bytes.

What is not signed counts for nothing. So an event is known by its id where that is signed (Standard Webhooks 1.0), and
elsewhere by its body: whoever sends a captured request again, under another delivery id, sends the same event.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Literal, NamedTuple

from relet.errors import DefinitionError, Refused

Style = Literal["standard", "github", "plain"]
"""standard: Standard Webhooks 1.0 (`webhook-id`, `webhook-timestamp`, `webhook-signature`). github: `X-Hub-Signature-256`.
plain: the HMAC-SHA256 of the body, as hex or base64, in one header."""

STYLES: tuple[Style, ...] = ("standard", "github", "plain")
TOLERANCE_S = 5 * 60
"""How far the clock of a sender that signs the time may be off (Standard Webhooks: "within some allowable tolerance")."""
LEAST_SECRET = 16
PLAIN_HEADER = "x-signature"
PREFIX = "whsec_"


class Event(NamedTuple):
    """What was received, once it is known to be genuine."""

    key: str
    """The same for the same event, however often it is sent."""
    id: str
    """As the sender calls it; empty: it has no name for it."""
    type: str
    """What happened, if a header says so."""


class Forged(Refused):
    """A request whose signature is missing, wrong or too old. Nothing was enqueued."""


def key_bytes(secret: str, style: Style) -> bytes:
    """The key that a secret stands for. Raises DefinitionError."""
    if style == "standard" and secret.startswith(PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise DefinitionError(f"The secret begins with {PREFIX} and is no base64 after it.") from None
    else:
        key = secret.encode()
    if len(key) < LEAST_SECRET:
        raise DefinitionError(f"The secret has {len(key)} bytes; one of less than {LEAST_SECRET} can be guessed.")
    return key


def verified(
    style: Style, keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_s: int, header: str = PLAIN_HEADER
) -> Event:
    """The event of a genuine request; `headers` by names in lower case. Raises Forged."""
    if style == "standard":
        return _standard(keys, headers, body, now_s)
    if style == "github":
        said = headers.get("x-hub-signature-256", "")
        _check(keys, body, [said.removeprefix("sha256=")] if said.startswith("sha256=") else [])
        return Event(sha256(body).hexdigest(), headers.get("x-github-delivery", ""), headers.get("x-github-event", ""))
    _check(keys, body, [headers.get(header, "").removeprefix("sha256=")])
    return Event(sha256(body).hexdigest(), "", headers.get("x-event-type", ""))


def _standard(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_s: int) -> Event:
    event_id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not event_id or not at.isdecimal() or len(at) > 12:
        raise Forged("The request has no webhook-id, or no webhook-timestamp in seconds. Nothing was enqueued.")
    if abs(now_s - int(at)) > TOLERANCE_S:
        raise Forged(
            f"The request is signed for a time more than {TOLERANCE_S // 60} minutes off. Nothing was enqueued."
        )
    said = [one.removeprefix("v1,") for one in headers.get("webhook-signature", "").split() if one.startswith("v1,")]
    _check(keys, f"{event_id}.{at}.".encode() + body, said)
    return Event(event_id, event_id, "")


def _check(keys: Sequence[bytes], signed: bytes, said: Sequence[str]) -> None:
    """One of the signatures was made with one of the keys. All are looked at, so that time tells nothing."""
    good = False
    for key in keys:
        made = hmac.new(key, signed, sha256).digest()
        forms = (made.hex().encode(), base64.b64encode(made))
        for one in said:
            good |= any(hmac.compare_digest(form, one.encode("utf-8", "replace")) for form in forms)
    if not good:
        raise Forged("The signature is missing or wrong. Nothing was enqueued. Is it the same secret on both sides?")
