"""What runs have consumed is said when they end."""

import logging
from decimal import Decimal
from typing import Any

import pytest

from relet.clock import SystemClock
from relet.job.job import Claim, Counters
from relet.job.money import Sums
from relet.log import LogEdge
from relet.store.records import Usage
from relet.work.ledger import Ledger
from tests.store.hands import IDS


class Heard:
    """What a ledger said."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: str, /, **fields: Any) -> None:
        self.events.append((event, fields))


def claim_of(task: str) -> Claim:
    return Claim(IDS.job(), 1, task, "default", -1, 1, 0, Counters(), "{}", None, 0, 0, None)


def test_a_run_that_consumed_something_says_so_with_the_total():
    heard = Heard()
    ledger = Ledger(heard)
    for n in range(3):
        claim = claim_of("site.generate")
        ledger.add(Usage(claim.job_id, 1, 0, "input_tokens", "2000", "tokens", None))
        ledger.add(Usage(claim.job_id, 1, 1, "output_tokens", "500", "tokens", None))
        ledger.add(Usage(claim.job_id, 1, 2, "cost", "0.0125", "USD", None))
        ledger.add(Usage(claim.job_id, 1, 3, "cost", "nan", "USD", None))
        ledger.close(claim)
        ledger.close(claim)
        assert len(heard.events) == 2 * (n + 1)

    (_, one), (_, total) = heard.events[-2:]
    assert (one["task"], str(one["spent"])) == ("site.generate", "2,500 tokens | $0.0125")
    assert (total["runs"], str(total["spent"])) == ("3 runs", "7,500 tokens | $0.0375")
    assert ledger.open == {}


def test_a_run_that_consumed_nothing_says_nothing():
    heard = Heard()
    Ledger(heard).close(claim_of("t"))

    assert heard.events == []


def test_the_log_says_it_in_a_line(caplog: pytest.LogCaptureFixture):
    edge = LogEdge(logging.getLogger("relet.test"), SystemClock())
    spent = Sums({"USD": Decimal("0.0125"), "tokens": Decimal(2500)})
    with caplog.at_level(logging.INFO, "relet.test"):
        edge("job.spent", job="1", task="site.generate", spent=spent)
        edge("worker.spent", runs="15 runs", spent=spent)

    assert caplog.messages == ["site.generate | 2,500 tokens | $0.0125", "Total: 15 runs | 2,500 tokens | $0.0125"]
