"""Tokens: made once, shown once, kept as a hash. A token has 256 bits of chance, so a plain hash is as good as a slow one."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from relet.clock import DAY, MINUTE, secret
from relet.errors import UsageError
from relet.job.names import label_name
from relet.store.doors import TokenRow
from relet.store.port import Store
from relet.web.visitor import EVERYTHING, Role, Via, Visitor

PREFIX = "relet_"
LINK_LASTS_US = 15 * MINUTE
VISIT_LASTS_US = 7 * DAY


class Made(NamedTuple):
    """A new token. This is the only time that its text is known."""

    id: str
    text: str


def hash_of(text: str) -> str:
    """What is kept of a token, a link or a cookie."""
    return sha256(text.encode()).hexdigest()


def make_token(
    store: Store, name: str, role: Role, by: str, *, scopes: Sequence[str] = EVERYTHING, lasts_us: int | None = None
) -> Made:
    """A token for a program, or for a person to sign in with. Raises UsageError."""
    for scope in scopes:
        if not scope or not scope.isascii() or not scope.isprintable():
            raise UsageError(f'scope {scope!r} is no pattern of endpoints. Write one such as "jobs.*", or "*" for all.')
    return _make(store, label_name(name), "token", role, by, scopes, lasts_us)


def make_link(store: Store, role: Role, by: str) -> Made:
    """What lets one browser in, once, within a quarter of an hour."""
    return _make(store, by, "link", role, by, EVERYTHING, LINK_LASTS_US)


def _make(store: Store, name: str, kind: str, role: Role, by: str, scopes: Sequence[str], lasts_us: int | None) -> Made:
    made = Made(secret(6), PREFIX + secret(32))
    expires_at = None if lasts_us is None else store.now() + lasts_us
    store.add_token(made.id, name, kind, hash_of(made.text), role.word, scopes, by, expires_at)
    return made


class Visit(NamedTuple):
    """A sign-in: the text of its cookie."""

    cookie: str
    csrf: str


def open_visit(store: Store, token: TokenRow) -> Visit:
    """Sign a browser in by a token that is good."""
    visit = _new_visit()
    store.open_visit(hash_of(visit.cookie), token.id, visit.csrf, VISIT_LASTS_US)
    return visit


def redeem(store: Store, link: str) -> Visit | None:
    """Sign a browser in by a link. None: it is not good any more."""
    visit = _new_visit()
    done = store.redeem_link(hash_of(link), hash_of(visit.cookie), visit.csrf, VISIT_LASTS_US)
    return visit if done else None


def _new_visit() -> Visit:
    return Visit(secret(32), secret(24))


def visitor_of(token: TokenRow, via: Via, csrf: str = "") -> Visitor:
    """Who comes with this token."""
    return Visitor(token.name, Role.read(token.role), via, token.scopes, csrf)
