"""The verbs for what holds jobs back: limits, shares of tenants, circuit breakers. See `relet.store.port` for the rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from relet.job import breaker
from relet.job import budget as budgets
from relet.job.limits import Rule
from relet.store.cost_rows import BudgetNews
from relet.store.records import Probed, Report, Want
from relet.store.rows import BreakerRow


class Holds(Protocol):
    """What code declares and people say. Code gives way to people."""

    # ── limits ────────────────────────────────────────────────────────────────────────────────────────────────────
    def limit_queue(self, queue: str, rule: Rule, by: str, keep: Collection[str] = ()) -> Rule:
        """Hold a queue to a rule, from the next claim on, for all workers; returns the rule. Fields of it that `keep` names stay
        as they are. A rule that limits nothing ends the limit. What code declares does not count any more."""
        ...

    def forget_queue_limit(self, queue: str) -> bool:
        """End the limit, until code declares one again. False: there was none."""
        ...

    def declare_queue_limits(self, rules: Mapping[str, Rule], by: str) -> int:
        """What code wants of its queues, unless a person has said something else; returns how many were changed."""
        ...

    def set_limit(self, name: str, rule: Rule, by: str, keep: Collection[str] = ()) -> Rule:
        """The same for a limit by name and key: it holds for whoever is let in from now on. Those that have passed, ready or
        running, stay; those that it lets in now are ready when this returns. Raises UsageError for the name of a queue's rule."""
        ...

    def declare_limits(self, rules: Mapping[str, Rule], by: str) -> int:
        """What code wants of limits by name and key, unless a person has said something else; returns how many were changed.
        Before anybody has said what a limit is, it lets nobody in."""
        ...

    def forget_limit(self, name: str, by: str) -> bool:
        """End the limit, until code declares it again. False: there was none."""
        ...

    def pause_limit(self, name: str, key: str | None, until: int | None, by: str) -> bool:
        """Let nobody in for this key (None: for all keys) until then (None: until `resume_limit`). What has passed goes on.
        False: there is no such limit."""
        ...

    def resume_limit(self, name: str, key: str | None, by: str) -> bool:
        """End the pause. False: there was none."""
        ...

    # ── shares of tenants ─────────────────────────────────────────────────────────────────────────────────────────
    def set_weight(self, queue: str, tenant: str, weight: int, by: str) -> None:
        """How many jobs a tenant may start in this queue while one of weight 1 starts one: for places given from now on."""
        ...

    def forget_weight(self, queue: str, tenant: str) -> bool:
        """It is 1 again, until code says something else. False: nothing was said."""
        ...

    def declare_weights(self, weights: Mapping[str, Mapping[str, int]], by: str) -> int:
        """What code wants the weights of its queues' tenants to be, unless a person has said something else; returns how many
        were changed."""
        ...

    # ── budgets ───────────────────────────────────────────────────────────────────────────────────────────────────
    def declare_budgets(self, rules: Mapping[str, budgets.Rule], by: str) -> int:
        """What code wants of budgets, by name, unless a person has said something else; returns how many were changed."""
        ...

    def set_budget(self, budget: str, rule: budgets.Rule, by: str) -> None:
        """Make a budget, or change it. What it has closed is opened, and closed again by what is spent next if it is used up."""
        ...

    def forget_budget(self, budget: str) -> bool:
        """End it, until code declares it again, and open what it has closed. False: there was none."""
        ...

    def lift_budget(self, budget: str, key: str, by: str) -> bool:
        """Open what it has closed, and let it close nothing more for this key in this window. False: it has closed nothing."""
        ...

    def tell_budgets(self) -> list[BudgetNews]:
        """Of which somebody is to be warned, or told that they are used up. Each is told of once, to whoever asks."""
        ...

    # ── breakers ──────────────────────────────────────────────────────────────────────────────────────────────────
    def declare_breakers(self, rules: Mapping[str, breaker.Rule], by: str) -> int:
        """What code wants of breakers, by name; returns how many were made or changed. How one stands does not change."""
        ...

    def report_outcomes(self, reports: Sequence[Report]) -> tuple[BreakerRow, ...]:
        """Tell breakers what they guard has come to, each in one report; returns how those that there are stand now."""
        ...

    def claim_probe(self, session_id: bytes, want: Want, breakers: Collection[str]) -> Probed:
        """Claim one job as a probe: of what is wanted, nothing of these breakers that are not half-open, or have as many probes
        out as they may. It is out as long as its claim stands."""
        ...

    def ask_probe(self, breaker: str, token: bytes, for_us: int) -> tuple[bool, BreakerRow | None]:
        """Whether a call may go out as a probe of a half-open breaker, until it is told of, or for so long; and how that stands,
        None: there is none."""
        ...

    def return_probe(self, breaker: str, token: bytes) -> None:
        """The call has come to nothing that says anything."""
        ...

    def open_breaker(self, breaker: str, by: str, reason: str, probe_at: int | None = None) -> BreakerRow | None:
        """Open it until then, or until a person closes it; returns how it stands, None: there is none."""
        ...

    def close_breaker(self, breaker: str, by: str, *, forget: bool = False) -> BreakerRow | None:
        """Close it, with nothing counted; `forget`: nor how often it has opened, nor the last failure.

        As always when one closes, jobs that it has put off come back soon: some at once, the others by `promote`."""
        ...
