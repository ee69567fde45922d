"""What runs say that they consume, through the app."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import relet.prices
from relet import App, Context, Price, Retry
from relet.errors import UsageError
from relet.job.prices import Tokens
from relet.settings import Settings
from relet.task import Task
from tests.app.work import work_off


def task_of(app: App) -> Task[..., None]:
    """A task that fails first, then succeeds."""
    app.prices["haiku*"] = Price("0.25", "1.25")

    @app.task(name="generate", retry=Retry(2, first=0))
    def generate(ctx: Context) -> None:
        ctx.llm("haiku-1", input_tokens=2000, output_tokens=500)
        ctx.usage(pages=ctx.attempt)
        if ctx.attempt == 1:
            raise ValueError("first time")

    return generate


def test_a_job_costs_what_all_its_attempts_have_cost(app: App) -> None:
    job = task_of(app).options(tags={"tenant": "acme"}).enqueue()
    work_off(app)
    with app.shared.use() as store:
        store.promote(10)
    work_off(app)

    assert job.cost == {"tokens": 5000, "USD": Decimal("0.00225"), "pages": 3}
    assert app.costs.total(since="1h") == job.cost
    assert [(entry.claim, entry.amount) for entry in job.usage if entry.unit == "USD"] == [
        (1, Decimal("0.001125")),
        (2, Decimal("0.001125")),
    ]


def test_costs_are_summed_by_what_was_asked(app: App) -> None:
    task_of(app).options(tags={"tenant": "acme"}).enqueue()
    work_off(app)

    (money, *_) = [cost for cost in app.costs.sum(["task", "model", "tenant", "day"]) if cost.unit == "USD"]
    assert (money.task, money.model, money.tenant, money.queue, money.kind) == (
        "generate",
        "haiku-1",
        "acme",
        None,
        None,
    )
    assert money.at is not None
    assert (money.at.hour, money.at.minute) == (0, 0)
    assert app.costs.total(task="other") == {}
    assert app.costs.total(task=app.tasks["generate"], tenant="acme")["pages"] == 1


@pytest.mark.parametrize("by", ["nothing", ["day", "hour"], ["task", ""]])
def test_what_costs_cannot_be_summed_by_is_refused(app: App, by: Any) -> None:
    with pytest.raises(UsageError):
        app.costs.sum(by)


def test_the_price_that_was_used_is_stored(app: App) -> None:
    generate = task_of(app)
    job = generate.enqueue()
    work_off(app)
    app.prices["haiku*"] = Price(1, 1)

    (entry,) = [entry for entry in job.usage if entry.unit == "USD"]
    assert entry.details["price"] == {"input": "0.25", "output": "1.25", "by": "own table"}
    assert entry.amount == Decimal("0.001125")


def test_a_model_without_a_price_is_counted_and_said_so(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relet.prices, "_library", lambda: None)

    @app.task(name="ask")
    def ask(ctx: Context) -> None:
        assert ctx.llm("gpt-4o", input_tokens=10, output_tokens=1, image="x" * 9000) is None
        ctx.llm("gpt-4o", output_tokens=5, said="\0")

    entries = ask.run_now().usage
    assert [(entry.kind, entry.amount, entry.unit) for entry in entries] == [
        ("input_tokens", 10, "tokens"),
        ("output_tokens", 1, "tokens"),
        ("unpriced", 11, "unpriced tokens"),
        ("output_tokens", 5, "tokens"),
        ("unpriced", 5, "unpriced tokens"),
    ]
    assert all(entry.details["model"] == "gpt-4o" for entry in entries)


def test_the_list_prices_what_the_own_table_does_not_know() -> None:
    priced = relet.prices.Prices().price(
        "claude-3-haiku-20240307", "anthropic", Tokens(2000, 500), 1_790_000_000_000_000
    )

    assert priced is not None
    assert (priced.amount, priced.unit) == (Decimal("0.001125"), "USD")
    assert priced.prices["by"].startswith("genai-prices ")
    assert relet.prices.Prices().price("no such model", "", Tokens(1, 1), 0) is None
    assert relet.prices.Prices().price("claude-3-haiku-20240307", "nobody", Tokens(1, 1), 0) is None


def test_settings_price_what_code_does_not() -> None:
    app = App(settings=Settings.load(code={"prices": "haiku*=1/1,opus=15/75"}, env={}))
    generate = task_of(app)

    @app.task(name="think")
    def think(ctx: Context) -> None:
        ctx.llm("opus", output_tokens=1_000_000)

    assert generate.prices["opus"] == Price(15, 75)
    assert think.run_now().spent("cost") == 75
    assert {*app.prices} == {"haiku*", "opus"}
    assert app.prices["haiku*"] == Price("0.25", "1.25")


@pytest.mark.parametrize(
    "say",
    [
        lambda ctx: ctx.cost("nan"),
        lambda ctx: ctx.cost("1e400"),
        lambda ctx: ctx.cost(-1),
        lambda ctx: ctx.cost(0.1),
        lambda ctx: ctx.usage(pages=float("inf")),
        lambda ctx: ctx.usage(pages=-1),
        lambda ctx: ctx.llm("m", input_tokens=-1),
        lambda ctx: ctx.llm("m", input_tokens=1, cache_read_tokens=2),
    ],
)
def test_what_cannot_be_an_amount_is_refused(app: App, say: Any) -> None:
    @app.task(name="says")
    def says(ctx: Context) -> None:
        with pytest.raises(UsageError):
            say(ctx)

    assert says.run_now().usage == ()
