"""The dead letters through the app: read, retried, resolved, deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from relet.control import PAGE, AnyTask, Operator, moment_of, task_name_of
from relet.errors import NotFound, UniqueConflict
from relet.handles import as_uuid
from relet.job.codec import encode_by_name
from relet.job.duration import Duration
from relet.records import DeadJob, DeadStats
from relet.store.port import Store
from relet.store.rows import DeadFilter


class DeadQuery(TypedDict, total=False):
    """Which dead letters: all given conditions hold. Without `resolved`, the unresolved ones."""

    task: AnyTask | str
    queue: str
    reason: str
    """attempts, permanent, rejected, poison or deadline."""
    error: str
    """Part of the error's text; not case-sensitive."""
    since: datetime | Duration
    """Dead then or later; a duration counts back from now."""
    until: datetime | Duration
    resolved: bool | None
    """None: resolved or not."""


class Dead:
    """`app.dead`."""

    def __init__(self, app: Operator) -> None:
        self._app = app

    def list(self, *, limit: int = 50, before: UUID | str | None = None, **query: Unpack[DeadQuery]) -> list[DeadJob]:
        """A page of dead letters, newest first. `before` is the id of the last one seen."""
        with self._app.shared.use() as store:
            wanted = _dead_filter(store, query, None if before is None else as_uuid(before).bytes, limit)
            return [DeadJob.of(row) for row in store.insights.dead(wanted)]

    def walk(self, **query: Unpack[DeadQuery]) -> Iterator[DeadJob]:
        """All of them, page by page."""
        before: UUID | None = None
        while page := self.list(limit=PAGE, before=before, **query):
            yield from page
            before = page[-1].id

    def count(self, **query: Unpack[DeadQuery]) -> int:
        """How many match. Counting stops at 100,000."""
        with self._app.shared.use() as store:
            return store.insights.dead_count(_dead_filter(store, query, None, 1))

    def get(self, job_id: UUID | str) -> DeadJob:
        """One dead letter. Raises NotFound."""
        job_id = as_uuid(job_id)
        with self._app.shared.use() as store:
            found = store.insights.dead_letter(job_id.bytes)
        if found is None:
            raise _missing(job_id)
        return DeadJob.of(found)

    def stats(self) -> list[DeadStats]:
        """Per queue."""
        with self._app.shared.use() as store:
            return [DeadStats(*row) for row in store.insights.dead_stats()]

    def retry(self, job_id: UUID | str, *, patch: Mapping[str, Any] | None = None, by: str = "") -> None:
        """Let it run again, with fresh counters; `patch` gives arguments by name that are different now.

        Raises NotFound, PayloadError (a patch that does not fit the task) and UniqueConflict (its key is taken).
        """
        job_id = as_uuid(job_id)
        args = self._patched(self.get(job_id), patch) if patch else None
        with self._app.shared.use() as store:
            done = store.retry_dead(job_id.bytes, args, self._app.who(by))
        if not done:
            raise _missing(job_id)

    def retry_all(self, *, dry_run: bool = False, by: str = "", **query: Unpack[DeadQuery]) -> int:
        """Retry every one that matches; returns how many, or how many it would be.

        One whose unique key is taken stays where it is.
        """
        if dry_run:
            return self.count(**query)
        who, count = self._app.who(by), 0
        for dead in self.walk(**query):
            with self._app.shared.use() as store:
                try:
                    count += store.retry_dead(dead.id.bytes, None, who)
                except UniqueConflict:
                    continue
        return count

    def resolve(self, job_id: UUID | str, *, by: str = "", note: str = "") -> None:
        """Mark it as dealt with: retention may forget it from then on. Raises NotFound."""
        self._resolve(job_id, True, by, note)

    def reopen(self, job_id: UUID | str, *, by: str = "", note: str = "") -> None:
        """Take that back. Raises NotFound."""
        self._resolve(job_id, False, by, note)

    def delete(self, job_id: UUID | str) -> None:
        """Remove it and its job for good. Raises NotFound."""
        job_id = as_uuid(job_id)
        with self._app.shared.use() as store:
            done = store.delete_dead(job_id.bytes)
        if not done:
            raise _missing(job_id)

    def _resolve(self, job_id: UUID | str, resolved: bool, by: str, note: str) -> None:
        job_id = as_uuid(job_id)
        with self._app.shared.use() as store:
            done = store.resolve_dead(job_id.bytes, resolved, self._app.who(by), note)
        if not done:
            raise _missing(job_id)

    def _patched(self, dead: DeadJob, patch: Mapping[str, Any]) -> str:
        """The arguments with the patch on top, checked by the task's own codec where the task is known."""
        args = {**dead.args, **patch}
        task = self._app.tasks.get(dead.task)
        return encode_by_name(args, task=dead.task) if task is None else task.codec.encode_named(args)


def _dead_filter(store: Store, query: DeadQuery, before: bytes | None, limit: int) -> DeadFilter:
    return DeadFilter(
        task=task_name_of(query.get("task")),
        queue=query.get("queue"),
        reason=query.get("reason"),
        error_like=query.get("error"),
        failed_after=moment_of(store, query.get("since"), "since"),
        failed_before=moment_of(store, query.get("until"), "until"),
        resolved=query.get("resolved", False),
        before=before,
        limit=limit,
    )


def _missing(job_id: UUID) -> NotFound:
    return NotFound(f"Job {job_id} is not in the dead letters. See them with app.dead.list().")
