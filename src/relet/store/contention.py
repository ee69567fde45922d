"""Verbs that are repeated when the engine asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from relet.clock import SECOND, Clock, jitter, pause
from relet.errors import Contended


class Patient(Protocol):
    """A store, as far as its patience goes."""

    real: Clock
    """Measures waits, which take real time also where the store's own clock is a manual one."""


P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=Patient)

WAITS_US = (5_000, 20_000, 80_000, 300_000)
LONG_US = SECOND
"""An attempt that took longer than this has waited for the lock already: repeating it would only double the wait."""


def repeated(verb: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A verb of people and producers: after a deadlock, a lost race or a lock timeout, which wrote nothing, it tries again.

    The last Contended goes to the caller. Workers' own verbs are not wrapped: their loops have a back-off of their own.
    """

    @wraps(verb)
    def call(store: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        for wait_us in WAITS_US:
            began = store.real.steady()
            try:
                return verb(store, *args, **kwargs)
            except Contended:
                if store.real.steady() - began > LONG_US:
                    raise
            pause(jitter().uniform(wait_us / 2, wait_us))
        return verb(store, *args, **kwargs)

    return call
