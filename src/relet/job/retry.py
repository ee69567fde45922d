"""When a failed job runs again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from relet.clock import Rng
from relet.errors import DefinitionError
from relet.job.duration import Duration, to_us
from relet.job.job import MAX_ATTEMPTS

Backoff = Literal["exp", "fixed", "linear"] | Sequence[Duration] | Callable[[int], Duration]


@dataclass(frozen=True)
class Retry:
    """A retry policy: `max` attempts in all; the wait before attempt n+1 by `backoff`.

    `"exp"` doubles from `first` up to `cap`; `"fixed"` waits `first` each time; `"linear"` waits n times `first` up to
    `cap`; a list gives the waits one by one (its last one repeats); a callable is asked with the number of failed
    attempts. With `jitter`, a wait of exp and linear is drawn evenly from its upper half ("equal jitter", AWS
    Architecture Blog, "Exponential Backoff And Jitter", 2015): jobs that failed together do not return together.

    `on`: only these exceptions are retried. `give_up_on`: these never are, and win over `on`.
    """

    max: int = MAX_ATTEMPTS
    backoff: Backoff = "exp"
    first: Duration = 1
    cap: Duration = "5m"
    jitter: bool = True
    on: tuple[type[BaseException], ...] = (Exception,)
    give_up_on: tuple[type[BaseException], ...] = ()
    _waits: tuple[int, int, tuple[int, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.max < 1:
            raise DefinitionError(f"Retry(max={self.max}): a job needs at least 1 attempt.")
        if isinstance(self.backoff, str) and self.backoff not in ("exp", "fixed", "linear"):
            raise DefinitionError(
                f"Retry(backoff={self.backoff!r}): use 'exp', 'fixed', 'linear', a list or a function."
            )
        if not isinstance(self.backoff, str) and not callable(self.backoff) and not self.backoff:
            raise DefinitionError("Retry(backoff=[]): the list of waits is empty; give at least one wait.")
        object.__setattr__(self, "_waits", self._planned())

    def _planned(self) -> tuple[int, int, tuple[int, ...]]:
        """First wait, cap and listed waits in microseconds: checked once, at definition."""
        listed = () if isinstance(self.backoff, str) or callable(self.backoff) else self.backoff
        waits = tuple(to_us(wait, name="backoff") for wait in listed)
        return to_us(self.first, name="first"), to_us(self.cap, name="cap"), waits

    def retries(self, error: BaseException) -> bool:
        """True when this error may be tried again at all."""
        return isinstance(error, self.on) and not isinstance(error, self.give_up_on)

    def wait_us(self, failed: int, rng: Rng) -> int:
        """Microseconds to wait after the `failed`-th failed attempt (1, 2, …)."""
        first, cap, listed = self._waits
        if listed:
            return listed[min(failed, len(listed)) - 1]
        if callable(self.backoff):
            return to_us(self.backoff(failed), name="backoff")
        if self.backoff == "fixed":
            return first
        full = min(cap, first * failed if self.backoff == "linear" else first << min(failed - 1, 40))
        return full - rng.randint(0, full // 2) if self.jitter else full
