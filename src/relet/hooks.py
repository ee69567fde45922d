"""What an app wants to do when a job of its has died: functions that are called with the dead letter, beside the work."""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any, TypeVar
from uuid import UUID

from relet.control import AnyTask, task_name_of
from relet.errors import DefinitionError, NotFound, StoreError
from relet.letters import Dead
from relet.records import DeadJob

Hook = Callable[[DeadJob], Any]
H = TypeVar("H", bound=Hook)

_LOG = logging.getLogger("relet.on_dead")


class DeadHooks:
    """The hooks of one app, and the thread that calls them. What a hook raises is logged, and costs nobody anything."""

    def __init__(self, dead: Dead) -> None:
        self._dead = dead
        self._hooks: list[tuple[str | None, Hook]] = []
        self._waiting: deque[UUID] = deque()
        self._lock = Lock()
        self._runs = False

    def add(self, task: AnyTask | str | None, hook: H) -> H:
        """Call it for dead jobs of this task, or of all. Raises DefinitionError."""
        if not callable(hook) or inspect.iscoroutinefunction(hook):
            raise DefinitionError(f"on_dead: {hook!r} is not a plain function of one dead letter.")
        self._hooks.append((task_name_of(task), hook))
        return hook

    def __bool__(self) -> bool:
        return bool(self._hooks)

    def __call__(self, event: str, /, **fields: Any) -> None:
        """Listen to a worker's events. Its threads are not held up: a thread of their own calls the hooks."""
        if event != "job.dead" or not self._hooks:
            return
        self._waiting.append(UUID(fields["job"]))
        with self._lock:
            if not self._runs:
                self._runs = True
                Thread(target=self._work_off, name="relet-on-dead").start()

    def call(self, job_id: UUID) -> None:
        """Call the hooks for this job, here and now."""
        try:
            letter = self._dead.get(job_id)
        except (NotFound, StoreError) as error:
            _LOG.warning("no hook was called for dead job %s: %s", job_id, error)
            return
        for task, hook in self._hooks:
            if task is None or task == letter.task:
                self._call(hook, letter)

    def _call(self, hook: Hook, letter: DeadJob) -> None:
        try:
            hook(letter)
        except Exception:  # noqa: BLE001  whatever a hook raises is its own affair
            _LOG.exception("hook %s failed for dead job %s", getattr(hook, "__qualname__", hook), letter.id)

    def _work_off(self) -> None:
        """Until nothing waits. Not a daemon: a worker that ends lets its hooks return."""
        while True:
            while self._waiting:
                self.call(self._waiting.popleft())
            with self._lock:
                if not self._waiting:
                    self._runs = False
                    return
