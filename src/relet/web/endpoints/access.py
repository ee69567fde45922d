"""Who may come in: tokens. And what they did: the audit log."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import msgspec

from relet.errors import NotFound
from relet.job.duration import to_us
from relet.shapes import records
from relet.shapes.schema import ChangeOut
from relet.store.doors import AuditRow, TokenRow
from relet.web import tokens
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints import bulk
from relet.web.endpoints.jobs import Id, Name, PageSize, id_or_none
from relet.web.problem import forbidden
from relet.web.visitor import Role


class TokenOut(TypedDict):
    """A token, without its secret."""

    id: str
    name: str
    role: str
    scopes: list[str]
    created_by: str
    created_at: str
    expires_at: str | None
    revoked_by: str | None
    revoked_at: str | None
    used_at: str | None
    """When it was used last, to the minute."""


class TokenList(TypedDict):
    """Tokens, the newest first."""

    tokens: list[TokenOut]


class NewToken(Input):
    """A token to be made."""

    name: Name
    role: str = "viewer"
    scopes: Annotated[list[str], msgspec.Meta(min_length=1, max_length=50)] = msgspec.field(
        default_factory=lambda: ["*"]
    )
    """Patterns of endpoints that it may be used for."""
    lasts: str | float | None = "90d"
    """Null: it does not expire."""


class MadeToken(TypedDict):
    """A new token. Its text is told this once."""

    id: str
    token: str


class OneToken(Input):
    """A token by its id."""

    id: Name


class ListAudit(Input):
    """A page of the audit log."""

    who: Name | None = None
    act: Name | None = None
    subject: Name | None = None
    before: Id | None = None
    limit: PageSize = 50


class AuditOut(TypedDict):
    """What somebody did."""

    id: str
    at: str
    who: str
    role: str
    via: str
    act: str
    subject: str
    asked: Any
    """What they sent."""
    reason: str
    done: int | None
    """How many things were changed."""
    was: Any
    became: Any
    outcome: str | None
    """ "done", or why it was not; null: it is not known how it ended."""


class AuditPage(TypedDict):
    """The newest first. `next`: what to give as `before` for the next page."""

    audit: list[AuditOut]
    next: str | None


def list_tokens(call: Call, _given: Input) -> TokenList:
    """List tokens."""
    return TokenList(tokens=[token_out(row) for row in call.store.tokens()])


def add_token(call: Call, given: NewToken) -> MadeToken:
    """Make a token. This answer alone has its text."""
    if beyond := [scope for scope in given.scopes if not call.visitor.has(scope)]:
        raise forbidden(f"Your own token is not for {', '.join(beyond)}, so it makes none that is. Nothing was done.")
    lasts_us = None if given.lasts is None else to_us(given.lasts, name="lasts")
    made = tokens.make_token(
        call.store, given.name, Role.read(given.role), call.by, scopes=given.scopes, lasts_us=lasts_us
    )
    call.trace.done = 1
    return MadeToken(id=made.id, token=made.text)


def revoke_token(call: Call, given: OneToken) -> ChangeOut:
    """Revoke a token: it is good for nothing from now on, and sign-ins that came from it end."""
    if not call.store.revoke_token(given.id, call.by):
        raise NotFound(f"There is no token {given.id} that is not revoked. Nothing was changed.")
    call.trace.done = 1
    return bulk.done(given.id, "revoked")


def list_audit(call: Call, given: ListAudit) -> AuditPage:
    """List what people did, the newest first."""
    rows = call.store.audits(
        who=given.who or "",
        act=given.act or "",
        subject=given.subject or "",
        before=id_or_none(given.before),
        limit=given.limit,
    )
    found = [audit_out(row) for row in rows]
    return AuditPage(audit=found, next=found[-1]["id"] if len(found) == given.limit else None)


def token_out(row: TokenRow) -> TokenOut:
    """For programs."""
    return TokenOut(
        id=row.id,
        name=row.name,
        role=row.role,
        scopes=list(row.scopes),
        created_by=row.created_by,
        created_at=records.time_text(row.created_at),
        expires_at=records.time_or_none(row.expires_at),
        revoked_by=row.revoked_by,
        revoked_at=records.time_or_none(row.revoked_at),
        used_at=records.time_or_none(row.used_at),
    )


def audit_out(row: AuditRow) -> AuditOut:
    """For programs."""
    return AuditOut(
        id=records.uuid_text(row.id),
        at=records.time_text(row.at),
        who=row.who,
        role=row.role,
        via=row.via,
        act=row.act,
        subject=row.subject,
        asked=records.data_of(row.asked),
        reason=row.reason,
        done=row.done,
        was=records.data_of(row.was),
        became=records.data_of(row.became),
        outcome=row.outcome,
    )


ENDPOINTS = (
    Endpoint("tokens.list", "GET", "/tokens", Role.ADMIN, list_tokens),
    Endpoint("tokens.add", "POST", "/tokens", Role.ADMIN, add_token, status=201),
    Endpoint("tokens.revoke", "DELETE", "/tokens/{id}", Role.ADMIN, revoke_token),
    Endpoint("audit.list", "GET", "/audit", Role.ADMIN, list_audit),
)
