"""The judge finds what it is there for, in histories made by hand; and a short real one holds."""

from pathlib import Path
from typing import Any

import pytest

from tests.soak.judge import Ack, End, Fault, History, Run, judge, recovery
from tests.soak.stage import Soak, perform

GOOD = End("a", "quick", "succeeded", 2, 0, 0, 100, 900)


def runs(job: str, *marks: tuple[str, int]) -> list[Run]:
    return [Run(word, job, epoch, 200 + n, 1, job) for n, (word, epoch) in enumerate(marks)]


def history(end: End = GOOD, **changes: Any) -> History:
    """One job that was taken from a dying worker, ran again and succeeded; unless changed."""
    facts: dict[str, Any] = {
        "acks": [Ack(end.job, True, {"task": end.task})],
        "asked": 1,
        "ends": {end.job: end},
        "runs": runs(end.job, ("began", 1), ("began", 2), ("returned", 2)),
        "attempts": {end.job: [(1, "lost")]},
    }
    return History(**{**facts, **changes})


def test_good_history_holds() -> None:
    verdict = judge(history())
    assert verdict.holds, verdict.violations
    assert (verdict.figures["jobs"], verdict.figures["runs_again"], verdict.figures["lost"]) == (1, 1, 0)


POISON = End("p", "poison", "dead", 1, 0, 3, 100, 900, reason="poison")
PLANTED: dict[str, tuple[History, str]] = {
    "an acknowledged job is nowhere": (history(ends={}), "lost"),
    "a job does not end": (history(GOOD._replace(state="running", ended_at=None)), "still running"),
    "an effect happened twice": (history(GOOD._replace(task="pay"), effects=[("a", 1), ("a", 2)]), "settled 2 times"),
    "an effect without a success": (history(GOOD._replace(state="cancelled"), effects=[("a", 2)]), "did not succeed"),
    "a success without its effect": (history(GOOD._replace(task="pay")), "without its effect"),
    "an effect of an earlier claim": (history(GOOD._replace(task="pay"), effects=[("a", 1)]), "effect is of claim 1"),
    "an end behind a success": (history(attempts={"a": [(1, "lost"), (2, "failure")]}), "behind its success"),
    "an overtaken run settled": (
        history(runs=runs("a", ("began", 2), ("returned", 2), ("began", 3))),
        "ran as claim 3",
    ),
    "a claim left no trace": (history(attempts={}), "has ended claims []"),
    "a success without a return": (history(runs=runs("a", ("began", 1), ("began", 2))), "never returned"),
    "a bystander paid a crash": (history(GOOD._replace(crashes=1)), "paid 1 crashes"),
    "a bystander paid an attempt": (history(GOOD._replace(attempt=1)), "paid 1 attempts"),
    "a bystander is dead": (history(GOOD._replace(state="dead", reason="poison")), "for no reason of its own"),
    "a poison was let go": (history(POISON._replace(crashes=2), runs=[]), "after 2 crashes"),
    "a key was held twice": (
        history(ends={"a": GOOD._replace(key="k"), "b": GOOD._replace(job="b", created_at=500, key="k")}),
        "held key 'k' at once",
    ),
    "a job that nobody asked for": (history(ends={"a": GOOD, "b": GOOD._replace(job="b")}), "nobody was told of"),
    "two keys for one job": (history(runs=[*history().runs, Run("began", "a", 2, 9, 1, "x")]), "two idempotency keys"),
    "a complaint": (history(complaints=["something is left"]), "something is left"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_violation_is_found(name: str) -> None:
    planted, words = PLANTED[name]
    violations = judge(planted).violations
    assert any(words in violation for violation in violations), violations


def test_recovery_is_measured_to_the_next_claim_of_each_job() -> None:
    fault = Fault("kill", 1_000_000, {"a": 1, "b": 4, "c": 1})
    again = {
        "a": [Run("began", "a", 1, 900_000, 1, "a"), Run("began", "a", 2, 1_500_000, 1, "a")],
        "b": [Run("began", "b", 5, 3_000_000, 1, "b"), Run("began", "b", 6, 9_000_000, 1, "b")],
    }
    assert recovery([fault], again, "kill") == {"jobs": 2, "p50": 2.0, "p99": 2.0, "max": 2.0}
    assert recovery([fault], again, "stop") == {"jobs": 0}


def test_short_soak_holds(tmp_path: Path) -> None:
    verdict = perform(Soak("sqlite", 6, 3, 7, tmp_path / "soak"), lambda _text: None)
    assert verdict.holds, verdict.violations
    assert verdict.figures["succeeded"] > 50
