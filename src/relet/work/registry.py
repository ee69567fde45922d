"""What the runner needs of a task, and what it works out once for all of its runs. Nothing else of the app is known below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from relet.facts import ParentResult
from relet.job.outcome import Ended, Outcome
from relet.job.settlement import Policy
from relet.options import TaskSpec
from relet.prices import Prices
from relet.tracing import Tracing


class Codec(Protocol):
    """How a task's arguments and result travel."""

    def decode_args(self, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What to call the function with. Raises PayloadError."""
        ...

    def encode_result(self, value: Any) -> str:
        """What it returned, as JSON. Raises PayloadError."""
        ...


class Runnable(Protocol):
    """A task: a function with a name, a policy and a codec."""

    @property
    def name(self) -> str: ...
    @property
    def fn(self) -> Callable[..., Any]: ...
    @property
    def spec(self) -> TaskSpec: ...
    @property
    def codec(self) -> Codec: ...
    @property
    def takes_context(self) -> bool: ...
    @property
    def is_async(self) -> bool: ...
    @property
    def prices(self) -> Prices: ...
    @property
    def tracing(self) -> Tracing | None: ...

    def spares(self, queue: str, error: BaseException) -> tuple[str, ...]:
        """The breakers, of this task and of the queue, that do not count this error."""
        ...

    def left_by_parents(self, job_id: bytes) -> list[ParentResult]:
        """What the jobs that this one came after have left."""
        ...

    def keep_at(self, url: str) -> None:
        """In a child process: where its worker keeps jobs, what it enqueues itself is kept, too."""
        ...


Registry = Mapping[str, Runnable]


class Known:
    """A task, and what does not change from run to run."""

    __slots__ = (
        "apart",
        "bare",
        "codec",
        "fn",
        "is_async",
        "nothing",
        "policy",
        "spec",
        "takes_context",
        "task",
        "timed",
    )

    def __init__(self, task: Runnable) -> None:
        spec = task.spec
        self.task = task
        self.fn = task.fn if task.tracing is None else task.tracing.around(task.fn, is_async=task.is_async)
        self.spec = spec
        self.codec = task.codec
        self.is_async = task.is_async
        self.takes_context = task.takes_context
        self.apart = spec.executor == "process"
        self.policy = Policy(spec.retry, max_crashes=spec.max_crashes)
        self.timed = not (spec.timeout_us is None and spec.expires_us is None and spec.deadline_us is None)
        """Whether time limits any of its runs."""
        self.bare = False
        """Whether it may be called without arguments."""
        self.nothing: Outcome | None = None
        """What it comes to when it returns None; None: that has to be asked each time, or is refused."""
        with suppress(Exception):  # whatever a codec raises here, it raises again in the run, whose failure that is
            self.bare = self.codec.decode_args("{}") == ((), {})
        with suppress(Exception):
            self.nothing = Outcome(Ended.SUCCESS, result=self.codec.encode_result(None))
