"""A child process imports the user's module to find the task. A worker that the module starts while it is imported would run
in every child: it is refused."""

from __future__ import annotations

from contextvars import ContextVar

from relet.errors import UsageError

IMPORTING: ContextVar[bool] = ContextVar("relet_importing", default=False)


def refuse_while_importing() -> None:
    """Raise UsageError in a child that is importing its task's module."""
    if IMPORTING.get():
        raise UsageError(
            "A worker was started while a child process imported this module to run one of its tasks. Nothing was started. "
            'Put the start of the worker under: if __name__ == "__main__":'
        )
