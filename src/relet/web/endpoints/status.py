"""How it stands, and who asks."""

from __future__ import annotations

from typing import TypedDict

from relet.overview import gather
from relet.shapes.schema import StatusOut
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.visitor import Role


class WhoOut(TypedDict):
    """Who makes this request."""

    name: str
    role: str
    scopes: list[str]


class TaskOut(TypedDict):
    """A task that the app around this server declares."""

    name: str
    queue: str
    signature: str


class TaskList(TypedDict):
    """Tasks, by name."""

    tasks: list[TaskOut]


def status(call: Call, _given: Input) -> StatusOut:
    """Say how it stands: jobs by state, queues, workers, and what needs a person."""
    return gather(call.store)


def whoami(call: Call, _given: Input) -> WhoOut:
    """Say who makes this request, and what for."""
    visitor = call.visitor
    return WhoOut(name=visitor.name, role=visitor.role.word, scopes=list(visitor.scopes))


def list_tasks(call: Call, _given: Input) -> TaskList:
    """List the tasks that the app around this server declares; workers of other apps may know more."""
    found = sorted(call.app.tasks.values(), key=lambda task: task.name)
    return TaskList(
        tasks=[TaskOut(name=task.name, queue=task.spec.queue, signature=str(task.codec.signature)) for task in found]
    )


ENDPOINTS = (
    Endpoint("status.show", "GET", "/status", Role.VIEWER, status, shared=True),
    Endpoint("status.whoami", "GET", "/whoami", Role.VIEWER, whoami),
    Endpoint("tasks.list", "GET", "/tasks", Role.VIEWER, list_tasks),
)
