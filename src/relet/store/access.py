"""Who comes in over HTTP, and what they did. See `relet.store.doors` for what each verb promises."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

from relet.errors import StoreError
from relet.store.doors import AuditRow, OnceRow, TokenRow, VisitRow
from relet.store.link import Link, Row
from relet.store.page import LAST_ID, page_size


class Access:
    """Tokens, sign-ins, the audit log, and requests that count once."""

    _link: Link

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
        with self._link.write() as tx:
            tx.run(
                "token_add",
                token_id=token_id,
                label=name,
                kind=kind,
                hash=hash_,
                role=role,
                scopes=json.dumps(list(scopes)),
                by=by,
                expires_at=expires_at,
            )

    def tokens(self) -> list[TokenRow]:
        with self._link.read() as tx:
            return [_token(row) for row in tx.all("token_rows")]

    def revoke_token(self, token_id: str, by: str) -> bool:
        with self._link.write() as tx:
            revoked = tx.run("token_revoke", token_id=token_id, by=by)
            tx.run("visit_end_of_token", token_id=token_id)
            return revoked == 1

    def find_token(self, hash_: str) -> TokenRow | None:
        with self._link.read() as tx:
            rows = tx.all("token_by_hash", hash=hash_, kind="token")
            now = int(tx.all("session_now")[0][0])
        if not rows:
            return None
        found = _token(rows[0])
        if found.used_at is None or found.used_at < now - 60_000_000:
            with suppress(StoreError), self._link.write() as tx:  # a store that is full or busy can still be looked at
                tx.run("token_used", token_id=found.id)
        return found

    def redeem_link(self, hash_: str, visit: str, csrf: str, lasts_us: int) -> bool:
        with self._link.write() as tx:
            if not tx.run("token_redeem", hash=hash_):
                return False
            token = _token(tx.all("token_by_hash", hash=hash_, kind="link")[0])
            tx.run("visit_add", hash=visit, token_id=token.id, csrf=csrf, lasts_us=lasts_us)
            return True

    def open_visit(self, hash_: str, token_id: str, csrf: str, lasts_us: int) -> None:
        with self._link.write() as tx:
            tx.run("visit_add", hash=hash_, token_id=token_id, csrf=csrf, lasts_us=lasts_us)

    def find_visit(self, hash_: str) -> VisitRow | None:
        with self._link.read() as tx:
            rows = tx.all("visit_by_hash", hash=hash_)
            return VisitRow(rows[0][0], _token(rows[0][1:])) if rows else None

    def end_visit(self, hash_: str) -> bool:
        with self._link.write() as tx:
            return tx.run("visit_end", hash=hash_) == 1

    def begin_audit(
        self, audit_id: bytes, who: str, role: str, via: str, act: str, subject: str, asked: str, reason: str
    ) -> None:
        with self._link.write() as tx:
            tx.run(
                "audit_begin",
                id=audit_id,
                who=who,
                role=role,
                via=via,
                act=act,
                subject=subject,
                asked=asked,
                reason=reason,
            )

    def end_audit(self, audit_id: bytes, outcome: str, done: int | None, was: str | None, became: str | None) -> None:
        with self._link.write() as tx:
            tx.run("audit_end", id=audit_id, outcome=outcome, done=done, was=was, became=became)

    def audits(
        self, *, who: str = "", act: str = "", subject: str = "", before: bytes | None = None, limit: int = 50
    ) -> list[AuditRow]:
        page = {"who": who, "act": act, "before": before or LAST_ID, "limit": page_size(limit)}
        with self._link.read() as tx:
            rows = tx.all("audit_page_of", subject=subject, **page) if subject else tx.all("audit_page", **page)
            return [AuditRow(*row) for row in rows]

    def begin_once(self, scope: str, key: str, request: str, job_id: bytes) -> OnceRow:
        with self._link.write() as tx:
            tx.run("once_begin", scope=scope, key=key, request=request, job_id=job_id)
            return OnceRow(*tx.all("once_row", scope=scope, key=key)[0])

    def end_once(self, scope: str, key: str, status: int, answer: str) -> None:
        with self._link.write() as tx:
            tx.run("once_end", scope=scope, key=key, n=status, answer=answer)

    def prune_doors(self, audit_before: bytes, once_older_us: int, limit: int) -> int:
        with self._link.write() as tx:
            gone = tx.run("visit_prune", limit=limit) + tx.run("token_prune")
            gone += tx.run("audit_prune", before=audit_before, limit=limit)
            return gone + tx.run("once_prune", older_us=once_older_us, limit=limit)


def _token(row: Row) -> TokenRow:
    token_id, name, kind, role, scopes, *rest = row
    return TokenRow(token_id, name, kind, role, tuple(json.loads(scopes)), *rest)
