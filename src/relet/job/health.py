"""When a queue or a worker is healthy. Pure.

It falls ill when too much fails, and is healthy again only when less does and something has succeeded: between the two it stays
as it is, so that it does not change with every run. Who has nothing to do shows nothing, and stays as he is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from relet.clock import DAY, SECOND
from relet.job.duration import format_us

UNSEEN_US = 60 * SECOND
"""When no worker has looked for so long, nobody is there."""

FORGET_US = DAY
"""Who was ill, and has run nothing for so long, is not ill any more."""

NOBODY = "no worker was there"


@dataclass(frozen=True, slots=True)
class Rules:
    """When it changes."""

    window_us: int = 300 * SECOND
    """What is counted: the runs of so long."""
    errors: int = 5
    """More errors than this while nothing succeeds: unhealthy."""
    recovered_errors: int = 3
    """Fewer than this to be healthy again."""
    failure_percent: int = 5
    """A larger part of the runs fails: unhealthy. A smaller one to be healthy again."""


class Tally(NamedTuple):
    """What was counted within the window."""

    succeeded: int = 0
    errors: int = 0

    @property
    def processed(self) -> int:
        """All of them."""
        return self.succeeded + self.errors

    @property
    def failure_rate(self) -> float:
        """Which part of them failed: 0 to 1."""
        return self.errors / self.processed if self.processed else 0.0


class Pause(NamedTuple):
    """A pause of a queue that holds."""

    by: str
    reason: str
    ends_at: int | None

    @property
    def expected(self) -> bool:
        """Whether somebody has said why, or it ends by itself."""
        return bool(self.reason) or self.ends_at is not None


class Standing(NamedTuple):
    """How it stands."""

    healthy: bool = True
    failing: bool = False
    """By its runs alone, whatever is paused."""
    because: str = ""
    """Why it is not healthy."""


HEALTHY = Standing()


def judge(rules: Rules, before: Standing, tally: Tally, pause: Pause | None = None) -> Standing:
    """How it stands after this window."""
    failing, because = _failing(rules, before, tally)
    if pause is not None and not pause.expected:
        paused = f"it is paused by {pause.by or 'somebody'}, who did not say why, nor until when"
        return Standing(False, failing, f"{paused}; {because}" if failing else paused)
    return Standing(not failing, failing, because)


def _failing(rules: Rules, before: Standing, tally: Tally) -> tuple[bool, str]:
    within = format_us(rules.window_us)
    percent = tally.errors * 100
    if tally.succeeded == 0 and tally.errors > rules.errors:
        return True, f"nothing has succeeded for {within}, and {tally.errors:,} runs have failed"
    if percent > rules.failure_percent * tally.processed:
        return True, f"{tally.errors:,} of {tally.processed:,} runs have failed in {within}"
    if not before.failing:
        return False, ""
    if tally.succeeded == 0:
        return True, f"nothing has succeeded for {within}, since too many runs failed"
    if tally.errors >= rules.recovered_errors or percent >= rules.failure_percent * tally.processed:
        return True, f"still {tally.errors:,} of {tally.processed:,} runs have failed in {within}"
    return False, ""


class Turn(NamedTuple):
    """It became healthy, or ceased to be."""

    at: int
    healthy: bool


def uptime(turns: Sequence[Turn], since_at: int, now: int) -> float | None:
    """Which part of the time since then it was healthy, 0 to 1, as far back as anybody knows. `turns` are in order, with the last
    one before that time. None: nobody knows anything."""
    known, up = 0, 0
    for turn, until in zip(turns, [*(turn.at for turn in turns[1:]), now], strict=False):
        span = max(0, until - max(turn.at, since_at))
        known += span
        up += span if turn.healthy else 0
    return up / known if known else None
