"""Paths and shapes that older services of this kind answered to, field for field: for the programs that ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from relet.clock import SECOND
from relet.errors import NotFound
from relet.health import Health, health_of
from relet.job.moment import from_at
from relet.job.state import State
from relet.overview import gather
from relet.shapes import records
from relet.store.port import Store
from relet.store.rows import DeadFilter, DeadRow, JobRow, SessionRow
from relet.web import perform
from relet.web.api import KEY_HEADER, converted
from relet.web.auth import Auth
from relet.web.desk import Desk
from relet.web.endpoint import Endpoint
from relet.web.endpoints import BY_NAME
from relet.web.endpoints.dead import dead_of
from relet.web.endpoints.jobs import job_of
from relet.web.problem import invalid, unauthorized
from relet.web.visitor import Visitor

_WORDS = {State.RUNNING: "Claimed", State.SUCCEEDED: "Completed", State.DEAD: "Failed", State.CANCELLED: "Failed"}
"""How a job's state was called; before that, it is Pending."""


class Classic:
    """Handlers of these paths. Who may use them is decided as for the endpoints that do the same."""

    def __init__(self, desk: Desk, auth: Auth) -> None:
        self._desk = desk
        self._auth = auth

    # ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────
    async def health(self, request: Request) -> Response:
        """Whether the service works, and by which worker. Those who have not said who they are learn only the first."""
        visitor = await self._auth.visitor(request)
        sessions = await self._desk.run(lambda store: store.insights.sessions())
        live = [row for row in sessions if row.live]
        said: dict[str, Any] = {"status": "healthy" if live else "unhealthy", "timestamp": self._now()}
        if visitor is not None:
            said |= {"worker_id": live[0].worker if live else None, "workers": [row.worker for row in live]}
        return JSONResponse(said, 200 if live else 503)

    async def worker_stats(self, request: Request) -> Response:
        """One worker, the newest unless `worker` names one; and all of them."""
        await self._allowed(request, "workers.list")
        rows = await self._desk.run(lambda store: store.insights.sessions())
        found = [_worker(row) for row in sorted(rows, key=lambda row: row.started_at, reverse=True)]
        wanted = request.query_params.get("worker")
        chosen = [one for one in found if wanted is None or one["worker_id"] == wanted]
        if wanted is not None and not chosen:
            raise NotFound(f"There is no worker {wanted!r}.")
        return JSONResponse({**(chosen[0] if chosen else {"worker_id": None}), "workers": found})

    async def distributed_stats(self, request: Request) -> Response:
        """The whole of it: jobs by state, queues, workers, leases."""
        await self._allowed(request, "status.show")
        return JSONResponse({**await self._desk.run(_distributed), "timestamp": self._now()})

    async def recover_orphans(self, request: Request) -> Response:
        """Give back what workers held whose lease has lapsed."""
        visitor = await self._allowed(request, "leases.recover")
        endpoint = BY_NAME["leases.recover"]
        _, body = await perform.perform(self._desk, endpoint, visitor, converted({}, endpoint.takes))
        details = msgspec.json.decode(body)["recovered"]
        recovered = sum(one["returned"] for one in details)
        return JSONResponse({"success": True, "recovered": recovered, "workers": details, "timestamp": self._now()})

    async def workers_health(self, request: Request) -> Response:
        """Whether all is well, queue by queue."""
        await self._allowed(request, "status.show")
        app = self._desk.app
        found = await self._desk.run(lambda store: health_of(store, app.settings.health_rules))
        return JSONResponse({**_health(found), "timestamp": self._now()})

    # ── dead letters ──────────────────────────────────────────────────────────────────────────────────────────────
    async def dead_letters(self, request: Request) -> Response:
        """Unresolved dead letters, the newest first, with statistics by queue."""
        await self._allowed(request, "dead.list")
        query = request.query_params
        limit = query.get("limit", "50")
        if not limit.isdecimal() or not 1 <= int(limit) <= 500:
            raise invalid(f"limit: {limit!r} is not a number from 1 to 500.")
        wanted = DeadFilter(queue=query.get("queue"), resolved=False, limit=int(limit))
        return JSONResponse(await self._desk.run(lambda store: _letters(store, wanted)))

    async def resolve_dead_letter(self, request: Request) -> Response:
        """Mark one as resolved, or not."""
        visitor = await self._allowed(request, "dead.resolve")
        body = await _json(request)
        by = body.get("resolvedBy") or None
        given: dict[str, Any] = {
            "id": body.get("id", ""),
            "resolved": body.get("resolved", True),
            "note": body.get("notes", ""),
            "by": by,
        }
        if by is not None and not isinstance(by, str):
            raise invalid("resolvedBy is not a text. Nothing was done.")
        await self._use("dead.resolve", visitor, given)
        found = await self._desk.run(lambda store: _letter(dead_of(store, given["id"])))
        return JSONResponse({"success": True, "job": found})

    async def delete_dead_letter(self, request: Request) -> Response:
        """Delete one for good."""
        visitor = await self._allowed(request, "dead.delete")
        job_id = request.query_params.get("id", "")
        await self._use("dead.delete", visitor, {"id": job_id})
        return JSONResponse({"success": True, "id": job_id})

    # ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────────
    async def new_job(self, request: Request) -> Response:
        """Enqueue a job; form or JSON. `task` names its task, unless the app has only one; the rest are its arguments."""
        visitor = await self._allowed(request, "jobs.enqueue")
        said = dict(
            await _json(request) if _is_json(request) else {k: str(v) for k, v in (await request.form()).items()}
        )
        task = said.pop("task", None) or self._only_task()
        given = {"task": task, "args": said.pop("payload", said)}
        answer = await self._use("jobs.enqueue", visitor, given, request.headers.get(KEY_HEADER, ""))
        return JSONResponse(await self._job(answer["id"]), 201)

    async def job(self, request: Request) -> Response:
        """One job."""
        await self._allowed(request, "jobs.show")
        return JSONResponse(await self._job(request.path_params["id"]))

    async def _job(self, text: str) -> Mapping[str, Any]:
        return await self._desk.run(lambda store: _job(job_of(store, text)))

    def _only_task(self) -> str:
        tasks = list(self._desk.app.tasks)
        if len(tasks) != 1:
            raise invalid(f"Say which task: task=NAME. This server's app has {len(tasks)}. Nothing was enqueued.")
        return tasks[0]

    # ── what they share ───────────────────────────────────────────────────────────────────────────────────────────
    async def _allowed(self, request: Request, name: str) -> Visitor:
        visitor = await self._auth.visitor(request)
        if visitor is None:
            raise unauthorized("Send a token: `Authorization: Bearer relet_…`.")
        endpoint = BY_NAME[name]
        perform.check(endpoint, visitor)
        if endpoint.changes:
            self._auth.check_change(request, visitor, None)
        return visitor

    async def _use(self, name: str, visitor: Visitor, given: Mapping[str, Any], key: str = "") -> Any:
        endpoint: Endpoint = BY_NAME[name]
        _, body = await perform.perform(self._desk, endpoint, visitor, converted(given, endpoint.takes), key=key)
        return msgspec.json.decode(body)

    def _now(self) -> str:
        return from_at(self._desk.app.clock.now()).astimezone(UTC).isoformat()


def routes(desk: Desk, auth: Auth) -> list[Route]:
    """All of them."""
    one = Classic(desk, auth)
    letters = "/api/admin/dead-letter-queue"
    return [
        Route("/health", one.health),
        Route("/worker/stats", one.worker_stats),
        Route("/distributed/stats", one.distributed_stats),
        Route("/distributed/recover-orphans", one.recover_orphans, methods=["POST"]),
        Route("/api/admin/workers/health", one.workers_health),
        Route(letters, one.dead_letters, methods=["GET"]),
        Route(letters, one.resolve_dead_letter, methods=["PATCH"]),
        Route(letters, one.delete_dead_letter, methods=["DELETE"]),
        Route("/new-job", one.new_job, methods=["POST"]),
        Route("/jobs/{id}", one.job, methods=["GET"]),
    ]


# ── shapes ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _worker(row: SessionRow) -> dict[str, Any]:
    found = records.worker_out(row)
    return {
        "worker_id": found["worker"],
        "session_id": found["session"],
        "hostname": found["host"],
        "pid": found["pid"],
        "status": "active" if row.live else "stale",
        "queues": found["queues"],
        "capabilities": found["offers"],
        "max_jobs": found["slots"],
        "active_jobs": found["running"],
        "utilization": round(found["running"] / found["slots"], 4) if found["slots"] else 0.0,
        "jobs_completed": found["done"],
        "jobs_failed": found["failed"],
        "last_heartbeat": found["renewed_at"],
        "started_at": found["started_at"],
        "version": found["version"],
    }


def _distributed(store: Store) -> dict[str, Any]:
    status = gather(store)
    workers = [_worker(row) for row in store.insights.sessions()]
    active = [one for one in workers if one["status"] == "active"]
    slots = sum(one["max_jobs"] for one in active)
    leases = store.insights.leases()
    return {
        "jobs": status["counts"],
        "queues": {
            queue["name"]: {name: queue[name] for name in ("ready", "running", "scheduled", "dead", "state")}
            for queue in status["queues"]
        },
        "workers": {"total": len(workers), "active": len(active), "stale": len(workers) - len(active)},
        "leases": {"active": sum(not row.expired for row in leases), "expired": sum(row.expired for row in leases)},
        "utilization": round(sum(one["active_jobs"] for one in active) / slots, 4) if slots else 0.0,
    }


def _health(found: Health) -> dict[str, Any]:
    workers = [
        {
            "name": queue.name,
            "healthy": queue.healthy,
            "waiting": queue.ready,
            "active": queue.running,
            "completed": queue.total_succeeded,
            "failed": queue.total_failed,
            "failureRate": _percent(queue.total_failed, queue.total_succeeded),
        }
        for queue in found.queues
    ]
    return {
        "success": True,
        "overall": "healthy" if found.healthy else "unhealthy",
        "workers": workers,
        "summary": {
            "totalActive": sum(queue.running for queue in found.queues),
            "totalCompleted": sum(queue.total_succeeded for queue in found.queues),
            "totalFailed": sum(queue.total_failed for queue in found.queues),
            "allHealthy": found.healthy,
        },
    }


def _percent(failed: int, completed: int) -> float:
    return round(100 * failed / (failed + completed), 2) if failed else 0.0


def _letters(store: Store, wanted: DeadFilter) -> dict[str, Any]:
    stats = {
        queue: {"total": total, "resolved": resolved, "unresolved": total - resolved}
        for queue, total, resolved in store.insights.dead_stats()
    }
    jobs = [_letter(row) for row in store.insights.dead(wanted)]
    return {"success": True, "jobs": jobs, "count": store.insights.dead_count(wanted), "stats": stats}


def _letter(row: DeadRow) -> dict[str, Any]:
    found = records.dead_out(row)
    return {
        "id": found["id"],
        "queue_name": found["queue"],
        "job_id": found["id"],
        "job_data": found["args"],
        "error_message": found["error"],
        "error_stack": found["stack"],
        "attempts_made": found["failed_attempts"],
        "failed_at": found["failed_at"],
        "resolved": found["resolved"],
        "resolved_at": found["resolved_at"],
        "resolved_by": found["resolved_by"],
        "notes": found["notes"],
    }


def _job(row: JobRow) -> dict[str, Any]:
    found, ended = records.job_out(row), row.state.ended
    changed = row.ended_at or row.started_at or row.created_at
    return {
        "job_id": found["id"],
        "status": _WORDS.get(row.state, "Pending"),
        "claimed_by": found["worker"],
        "completed_by": found["worker"] if ended else None,
        "created_at": row.created_at // SECOND,
        "updated_at": changed // SECOND,
        "payload": found["args"],
    }


async def _json(request: Request) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"The body is not a JSON object: {error}. Nothing was done.") from None


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
