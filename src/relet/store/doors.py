"""The verbs for who comes in over HTTP: tokens, sign-ins, the audit log, requests that count once. See `relet.store.port`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class TokenRow(NamedTuple):
    """A token without its secret. `kind`: "token", or "link", which lets one browser in, once."""

    id: str
    name: str
    kind: str
    role: str
    scopes: tuple[str, ...]
    created_by: str
    created_at: int
    expires_at: int | None
    revoked_by: str | None
    revoked_at: int | None
    used_at: int | None


class VisitRow(NamedTuple):
    """A sign-in that is good now, with the token that it came from."""

    csrf: str
    token: TokenRow


class AuditRow(NamedTuple):
    """What somebody did. Without an outcome, it is not known how it ended."""

    id: bytes
    at: int
    who: str
    role: str
    via: str
    act: str
    subject: str
    asked: str
    reason: str
    done: int | None
    was: str | None
    became: str | None
    outcome: str | None


class OnceRow(NamedTuple):
    """A request with a key. Without a status, its answer is not known."""

    request: str
    job_id: bytes
    status: int | None
    answer: str | None


class Doors(Protocol):
    """Who may come in, and what they did."""

    def add_token(
        self,
        token_id: str,
        name: str,
        kind: str,
        hash_: str,
        role: str,
        scopes: Sequence[str],
        by: str,
        expires_at: int | None,
    ) -> None:
        """Let whoever has the secret of this hash come in."""
        ...

    def tokens(self) -> list[TokenRow]:
        """All tokens, and links by which somebody is signed in, the newest first. At most 500."""
        ...

    def revoke_token(self, token_id: str, by: str) -> bool:
        """It is good for nothing from now on, and the sign-ins that came from it end. False: there is no such, or it was."""
        ...

    def find_token(self, hash_: str) -> TokenRow | None:
        """The token of this hash, if it is good now. Tells that it is used, once a minute."""
        ...

    def redeem_link(self, hash_: str, visit: str, csrf: str, lasts_us: int) -> bool:
        """Sign a browser in by a link, which is spent with that. False: it is not good any more. Of two who come at once, one is
        let in."""
        ...

    def open_visit(self, hash_: str, token_id: str, csrf: str, lasts_us: int) -> None:
        """A browser has signed in."""
        ...

    def find_visit(self, hash_: str) -> VisitRow | None:
        """The sign-in of this hash, if it and its token are good now."""
        ...

    def end_visit(self, hash_: str) -> bool:
        """It has signed out. False: it was not in."""
        ...

    def begin_audit(
        self, audit_id: bytes, who: str, role: str, via: str, act: str, subject: str, asked: str, reason: str
    ) -> None:
        """Write down what somebody is about to do."""
        ...

    def end_audit(self, audit_id: bytes, outcome: str, done: int | None, was: str | None, became: str | None) -> None:
        """Write down how that ended."""
        ...

    def audits(
        self, *, who: str = "", act: str = "", subject: str = "", before: bytes | None = None, limit: int = 50
    ) -> list[AuditRow]:
        """A page of what was done, the newest first."""
        ...

    def begin_once(self, scope: str, key: str, request: str, job_id: bytes) -> OnceRow:
        """Remember a request by its key; returns it, or the one that came first with this key."""
        ...

    def end_once(self, scope: str, key: str, status: int, answer: str) -> None:
        """Remember what it was answered."""
        ...

    def prune_doors(self, audit_before: bytes, once_older_us: int, limit: int) -> int:
        """Forget sign-ins that are over, audit rows before this id, and keys that are older; at most `limit` of each."""
        ...
