"""Budgets: so much may be spent in an hour, a day, a week or a month; what happens when it is. Pure.

Windows are those of the calendar in UTC: a day ends at midnight, a week on Sunday, a month with its last day.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypedDict

import msgspec

from relet.clock import DAY
from relet.errors import UsageError
from relet.job.costs import HOUR, ONE, Spent, amount_of, start_of, total_of
from relet.job.moment import from_at, to_at
from relet.job.money import money_text
from relet.job.names import checked_name, queue_name
from relet.job.textsafe import shown

Action = Literal["pause", "reject"]
Window = Literal["hour", "day", "week", "month"]

NAME_BYTES = 100
TENANT = "tenant"
_MONDAY = 4 * DAY
"""The first Monday of the epoch."""
_AMOUNT = re.compile(r"\s*([0-9][0-9_.]*)\s*((?![eE][0-9])[A-Za-z][A-Za-z0-9_ ]{0,19}?)\s*/\s*(hour|day|week|month)\s*")


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a budget counts, and what it does when it is used up."""

    amount: str
    unit: str
    window: Window
    queue: str = ""
    task: str = ""
    model: str = ""
    """A name, or the beginning of one, with `*`."""
    tenant: str = ""
    per: Literal["", "tenant"] = ""
    """Each has an amount of its own."""
    closes: tuple[str, ...] = ()
    """The queues that are paused, or refuse new jobs."""
    limit: str = ""
    """The limit by name and key of which a key is paused: that of the tenant, or the one of all."""
    warn: str = "0.8"
    on_exceeded: Action = "pause"

    @property
    def total(self) -> int:
        """The amount as a sum."""
        return total_of(self.amount) or 0

    @property
    def warn_total(self) -> int:
        """From here on somebody is warned."""
        return self.total * (total_of(self.warn) or 0) // ONE

    def counts(self, spent: Spent) -> bool:
        """Whether it is of this."""
        model = self.model
        return (
            spent.unit == self.unit
            and self.queue in ("", spent.queue)
            and self.task in ("", spent.task)
            and self.tenant in ("", spent.tenant)
            and (model in ("", spent.model) or (model.endswith("*") and spent.model.startswith(model[:-1])))
        )

    def key_of(self, spent: Spent) -> str:
        """Whose amount it is taken from."""
        return spent.tenant if self.per == TENANT else ""

    def span(self, at: int) -> tuple[int, int]:
        """When the window began that this moment is in, and when it ends."""
        return span_of(self.window, at)

    def __str__(self) -> str:
        return f"{money_text(Decimal(self.amount), self.unit)}/{self.window}{' per tenant' if self.per else ''}"


class Use(NamedTuple):
    """What is used of a budget in one window, of one key."""

    began_at: int
    until_at: int
    total: int = 0
    warned_at: int | None = None
    exceeded_at: int | None = None
    lifted_at: int | None = None
    """Somebody has said that it closes nothing any more in this window."""

    @property
    def closed(self) -> bool:
        """Whether it is used up, and nobody has lifted it."""
        return self.exceeded_at is not None and self.lifted_at is None


def spend(rule: Rule, before: Use | None, amount: int, now: int) -> Use:
    """How a budget stands when so much more is spent."""
    began_at, until_at = rule.span(now)
    use = before if before is not None and before.began_at == began_at else Use(began_at, until_at)
    total = use.total + amount
    warned_at = use.warned_at if use.warned_at is not None or total < rule.warn_total else now
    exceeded_at = use.exceeded_at if use.exceeded_at is not None or total < rule.total else now
    return use._replace(until_at=until_at, total=total, warned_at=warned_at, exceeded_at=exceeded_at)


def span_of(window: Window, at: int) -> tuple[int, int]:
    """The hour, day, week or month that a moment is in: when it began, and when it ends."""
    if window == "month":
        first = from_at(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return to_at(first, name="month"), to_at(_next_month(first), name="month")
    length = {"hour": HOUR, "day": DAY, "week": 7 * DAY}[window]
    offset = _MONDAY if window == "week" else 0
    began_at = start_of(at - offset, length) + offset
    return began_at, began_at + length


def _next_month(first: datetime) -> datetime:
    return datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)


def parse_amount(text: object) -> tuple[str, str, Window]:
    """ "20 USD/day" as amount, unit and window. Raises UsageError."""
    found = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise UsageError(
            f"budget {shown(text)}: write an amount and a window, such as 20 USD/day or 5000000 tokens/month."
        )
    amount, unit, window = found.groups()
    checked = amount_of("budget", amount.replace("_", ""))
    if Decimal(checked) == 0:
        raise UsageError(f"budget {shown(text)}: the amount is zero. To start nothing at all, pause the queue.")
    return checked, unit, window  # type: ignore[return-value]  the pattern names the windows


def budget_name(text: str) -> str:
    """`text`, if it can name a budget. Raises UsageError."""
    return checked_name("budget name", text, NAME_BYTES)


class BudgetOptions(TypedDict, total=False):
    """What a budget counts and closes, beside its amount."""

    queue: str
    task: str
    model: str
    tenant: str
    per: str
    closes: str | Sequence[str]
    limit: str
    warn: Decimal | float | str
    on_exceeded: str


def rule_of(
    name: str,
    amount: object,
    *,
    queue: str = "",
    task: str = "",
    model: str = "",
    tenant: str = "",
    per: str = "",
    closes: str | Sequence[str] = (),
    limit: str = "",
    warn: Decimal | float | str = "0.8",
    on_exceeded: str = "pause",
) -> Rule:
    """A budget as it is declared. Raises UsageError."""
    figure, unit, window = parse_amount(amount)
    shut = [closes] if isinstance(closes, str) else list(closes)
    shut = shut or ([queue] if queue else [])
    _check(name, shut, limit, per, on_exceeded)
    share = amount_of("warn", warn)
    if Decimal(share) > 1:
        raise UsageError(f"budget {shown(name)}: warn={shown(warn)} is a share of the amount, from 0 to 1.")
    names = {"queue": queue, "task": task, "model": model, "tenant": tenant, "limit": limit}
    closed = tuple(queue_name(each) for each in shut)
    return msgspec.convert(
        {"amount": figure, "unit": unit, "window": window, **names, "per": per, "closes": closed, "warn": share}
        | {"on_exceeded": on_exceeded},
        Rule,
    )


def _check(name: str, closes: Sequence[str], limit: str, per: str, on_exceeded: str) -> None:
    if on_exceeded not in ("pause", "reject"):
        raise UsageError(f"budget {shown(name)}: on_exceeded={shown(on_exceeded)} is neither pause nor reject.")
    if per not in ("", TENANT):
        raise UsageError(f"budget {shown(name)}: per={shown(per)}: a budget is for all, or per tenant.")
    if not closes and not limit:
        raise UsageError(
            f"budget {shown(name)} would hold nothing back: give it the queue= that it is of, closes= with the queues that "
            "it closes, or limit= with a limit by name and key."
        )
    if on_exceeded == "reject" and not closes:
        raise UsageError(f"budget {shown(name)}: only queues refuse new jobs. Give it queue= or closes=.")
    if per and closes:
        raise UsageError(
            f"budget {shown(name)}: one tenant must not close a queue for all. Give it a limit= whose key is the tenant."
        )


def encode_rule(rule: Rule) -> str:
    """A rule as it is stored."""
    return msgspec.json.encode(rule).decode()


def decode_rule(text: str) -> Rule:
    """The other way."""
    return msgspec.json.decode(text, type=Rule)


def by_budget(name: str) -> str:
    """Who has paused or closed what a budget holds back."""
    return f"budget {name}"
