"""What an app needs of a library that traces: told of what is enqueued, put around what runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from relet.job.job import NewJob


class Tracing(Protocol):
    """Set by whoever connects the two (`relet.contrib.otel`). Must raise nothing of its own."""

    def sending(self, jobs: Sequence[NewJob]) -> AbstractContextManager[Sequence[NewJob]]:
        """While these are written: the same jobs, with what their runs are told of where they came from (`Options.trace`)."""
        ...

    def around(self, fn: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
        """The function of a task, as it is to be called in a run."""
        ...
