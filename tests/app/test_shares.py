"""Tenants that share a queue, as an app sees it."""

import pytest

from relet import App
from relet.errors import DefinitionError, UsageError
from relet.task import Task
from tests.app.work import work_off

Mail = Task[[str, int], None]


@pytest.fixture
def done() -> list[str]:
    """Whose jobs have run, in order."""
    return []


@pytest.fixture
def mail(app: App, done: list[str]) -> Mail:
    @app.task(name="mail", fair_by="{customer}")
    def mail(customer: str, n: int) -> None:
        done.append(customer)

    return mail


def enqueue(app: App, mail: Mail, **counts: int) -> None:
    for customer, count in counts.items():
        app.enqueue_many(mail.call(customer, n) for n in range(count))


def test_customers_take_turns(app: App, mail: Mail, done: list[str]) -> None:
    enqueue(app, mail, big=50, small=3)
    work_off(app)
    assert len(done) == 53
    assert done[:6].count("small") == 3


def test_a_heavier_customer_gets_more(app: App, mail: Mail, done: list[str]) -> None:
    app.queues["default"].share("gold", 3)
    enqueue(app, mail, gold=30, plain=30)
    work_off(app)
    assert 29 <= done[:40].count("gold") <= 31


def test_a_call_may_name_another_tenant_or_none(app: App, mail: Mail) -> None:
    mail.enqueue("a", 1)
    mail.options(fair_by="order:{n}").enqueue("a", 7)
    mail.options(fair_by=False).enqueue("a", 1)
    app.task(name="other")(lambda: None).enqueue()
    assert [(share.tenant, share.ready) for share in app.queues["default"].shares()] == [
        ("", 2),
        ("a", 1),
        ("order:7", 1),
    ]


def test_a_template_that_names_no_parameter_is_refused(app: App, mail: Mail) -> None:
    with pytest.raises(DefinitionError, match="nobody"):
        app.task(name="other", fair_by="{nobody}")(lambda customer: None)
    with pytest.raises(UsageError, match="nobody"):
        mail.options(fair_by="{nobody}")


@pytest.mark.parametrize("weight", [0, -1, 1001, 1.5, True, "2"])
def test_a_weight_is_a_whole_number(weight: object) -> None:
    with pytest.raises(UsageError, match="from 1 to 1,000"):
        App("sqlite:///:memory:").queue("q", shares={"a": weight})  # type: ignore[dict-item]  # wrong on purpose


def test_weights_of_code_are_written_when_a_worker_starts(app: App, mail: Mail) -> None:
    queue = app.queue("default", shares={"gold": 3, "silver": 2})
    queue.share("silver", 5)
    with app.worker():
        pass
    assert {share.tenant: share.weight for share in queue.shares()} == {"gold": 3, "silver": 5}
    assert queue.unshare("silver")
    assert not queue.unshare("silver")


def test_why_says_how_a_job_stands_among_tenants(app: App, mail: Mail) -> None:
    enqueue(app, mail, big=20, small=2)
    app.queues["default"].share("small", 2)
    last = app.jobs.list(limit=1)[0]
    text = "\n".join(app.why(last.id))
    assert "which tenants share" in text
    assert "of tenant small" in text
