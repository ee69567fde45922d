"""A closest match is offered for a slip, and not for another word."""

from __future__ import annotations

import pytest

from relet.job.nearest import nearest

COMMANDS = (
    "demo",
    "init",
    "worker",
    "workers",
    "enqueue",
    "run",
    "status",
    "top",
    "jobs",
    "dead",
    "queues",
    "completion",
)
FLAGS = ("--state", "--task", "--queue", "--since", "--until", "--limit", "--json", "--url", "--yes", "--dry-run")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("jbos", "jobs"),
        ("worker", "worker"),
        ("wroker", "worker"),
        ("enqeue", "enqueue"),
        ("queue", "queues"),
        ("stauts", "status"),
        ("comp", "completion"),
        ("work", "worker"),
        ("TOP", "top"),
    ],
)
def test_a_slip_or_a_beginning_is_recognised(word: str, meant: str) -> None:
    assert nearest(word, COMMANDS) == meant


@pytest.mark.parametrize("word", ["list", "schedule", "stop", "web", "up", "help", "cancel", "", "x", "supervise"])
def test_another_word_is_not_taken_for_one_of_ours(word: str) -> None:
    assert nearest(word, [name for name in COMMANDS if name != "top"]) is None


@pytest.mark.parametrize("word", ["--statistics", "--user", "--tag", "--lines", "--concurrency", "--dry", "-x", "--"])
def test_flags_are_compared_without_their_dashes(word: str) -> None:
    assert nearest(word, FLAGS) == {"--dry": "--dry-run", "--tag": None}.get(word)
    assert nearest("--qeue", FLAGS) == "--queue"
    assert nearest("-state", FLAGS) == "--state"
