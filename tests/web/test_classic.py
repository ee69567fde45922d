"""Paths and shapes of older services of this kind, field for field."""

from uuid import uuid4

from starlette.testclient import TestClient

from relet import App
from tests.app.work import work_off
from tests.support.waiting import until

LETTERS = "/api/admin/dead-letter-queue"


def test_a_new_job_is_answered_in_the_old_shape(app: App, open_site: TestClient):
    answer = open_site.post("/new-job", data={"task": "mail.send", "to": "ann"})
    assert answer.status_code == 201
    made = answer.json()
    assert list(made) == ["job_id", "status", "claimed_by", "completed_by", "created_at", "updated_at", "payload"]
    assert (made["status"], made["claimed_by"], made["completed_by"]) == ("Pending", None, None)
    assert made["payload"] == {"to": "ann"}
    assert isinstance(made["created_at"], int)

    work_off(app)
    done = open_site.get(f"/jobs/{made['job_id']}").json()
    assert done["status"] == "Completed"
    assert done["completed_by"] == done["claimed_by"] != None  # noqa: E711
    assert done["updated_at"] >= done["created_at"]


def test_a_new_job_is_taken_as_json_and_needs_to_say_which_task(app: App, open_site: TestClient):
    assert open_site.post("/new-job", json={"task": "mail.send", "payload": {"to": "ann"}}).json()["payload"] == {
        "to": "ann"
    }
    unsaid = open_site.post("/new-job", data={"to": "ann"})
    assert (unsaid.status_code, "task=NAME" in unsaid.json()["detail"]) == (400, True)
    assert len(app.jobs.list()) == 1


def test_dead_letters_are_listed_resolved_and_deleted_in_the_old_shape(app: App, open_site: TestClient):
    first, second = (open_site.post("/new-job", json={"task": "mail.send", "to": "bad"}).json()["job_id"] for _ in "ab")
    work_off(app)
    listed = open_site.get(LETTERS).json()
    assert list(listed) == ["success", "jobs", "count", "stats"]
    assert (listed["success"], listed["count"]) == (True, 2)
    assert listed["stats"] == {"email": {"total": 2, "resolved": 0, "unresolved": 2}}
    letter = listed["jobs"][0]
    assert list(letter)[:9] == [
        *("id", "queue_name", "job_id", "job_data", "error_message", "error_stack", "attempts_made", "failed_at"),
        "resolved",
    ]
    assert (letter["id"], letter["queue_name"], letter["job_data"]) == (second, "email", {"to": "bad"})
    assert (letter["attempts_made"], letter["resolved"]) == (1, False)

    done = open_site.patch(
        LETTERS, json={"id": first, "resolved": True, "resolvedBy": "admin@example.com", "notes": "Fixed by hand"}
    )
    assert done.json()["success"]
    assert (app.dead.get(first).resolved_by, app.dead.get(first).notes) == ("admin@example.com", "Fixed by hand")
    assert open_site.delete(LETTERS, params={"id": second}).json() == {"success": True, "id": second}
    assert open_site.get(LETTERS).json()["stats"] == {"email": {"total": 1, "resolved": 1, "unresolved": 0}}
    assert open_site.delete(LETTERS, params={"id": str(uuid4())}).status_code == 404


def test_health_is_told_in_the_old_shape(app: App, open_site: TestClient):
    open_site.post("/new-job", json={"task": "mail.send", "to": "ann"})
    found = open_site.get("/api/admin/workers/health").json()
    assert list(found) == ["success", "overall", "workers", "summary", "timestamp"]
    (queue,) = found["workers"]
    assert list(queue) == ["name", "healthy", "waiting", "active", "completed", "failed", "failureRate"]
    assert (queue["name"], queue["waiting"], queue["active"]) == ("email", 1, 0)
    assert list(found["summary"]) == ["totalActive", "totalCompleted", "totalFailed", "allHealthy"]


def test_workers_and_the_whole_are_told(app: App, open_site: TestClient):
    assert open_site.get("/health").status_code == 503
    with app.worker():
        health = until(lambda: found.json() if (found := open_site.get("/health")).status_code == 200 else None)
        stats = open_site.get("/worker/stats").json()
        whole = open_site.get("/distributed/stats").json()
    assert (health["status"], health["worker_id"]) == ("healthy", stats["worker_id"])
    assert stats["status"] == "active"
    assert {"hostname", "max_jobs", "active_jobs", "utilization", "last_heartbeat"} <= set(stats)
    assert whole["workers"] == {"total": 1, "active": 1, "stale": 0}
    assert open_site.post("/distributed/recover-orphans").json()["recovered"] == 0
