"""Events become log lines: pretty or JSON, on one line, without secrets, and never faster than anybody can read."""

from __future__ import annotations

import io
import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from relet import log
from relet.cli.safe import safe
from relet.clock import SECOND, ManualClock
from relet.events import silent, tee


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger that nobody else listens to."""
    yield logging.Logger("relet-test")  # noqa: LOG001  not one of the process
    logging.getLogger("relet").setLevel(logging.NOTSET)


def written(
    logger: logging.Logger, form: str, *records: tuple[str, dict[str, object]], level: str = "debug"
) -> list[str]:
    """The lines that these events make."""
    stream = io.StringIO()
    handler = log.set_up(stream, form=form, level=level, clean=safe, context=lambda: {"worker": "w-1"}, root=logger)
    assert handler is not None
    edge = log.LogEdge(logger, ManualClock())
    for event, fields in records:
        edge(event, **fields)
    handler.close()
    return stream.getvalue().splitlines()


def test_a_pretty_line_has_time_level_words_and_facts(logger: logging.Logger) -> None:
    (line,) = written(logger, "pretty", ("job.failed", {"job": "0192", "attempt": 2, "error": "OSError: no route"}))
    assert "WARNING" in line
    assert "failed: OSError: no route" in line
    for fact in ("job=0192", "attempt=2", "worker=w-1"):
        assert fact in line


@pytest.mark.parametrize("form", ["pretty", "json"])
def test_the_claim_number_has_one_name_for_people(logger: logging.Logger, form: str) -> None:
    (line,) = written(logger, form, ("job.fenced", {"job": "0192", "epoch": 2}))
    assert "epoch" not in line
    assert "claim=2" in line or json.loads(line)["claim"] == 2


def test_a_json_line_has_the_same_as_fields(logger: logging.Logger) -> None:
    (line,) = written(logger, "json", ("job.failed", {"job": "0192", "attempt": 2, "error": "OSError: no route"}))
    found = json.loads(line)
    assert {key: found[key] for key in ("level", "event", "job", "attempt", "worker", "message")} == {
        "level": "warning",
        "event": "job.failed",
        "job": "0192",
        "attempt": 2,
        "worker": "w-1",
        "message": "failed: OSError: no route",
    }


@pytest.mark.parametrize("form", ["pretty", "json"])
def test_a_line_stays_one_line_and_keeps_no_secret(logger: logging.Logger, form: str) -> None:
    evil = "a\nFAKE LINE\x1b[2J password=geheim"
    lines = written(logger, form, ("job.failed", {"job": "0192", "error": evil}))
    assert len(lines) == 1
    assert "\x1b" not in lines[0]
    assert "geheim" not in lines[0]


def test_a_repeated_event_is_said_once_a_second_and_counted(logger: logging.Logger) -> None:
    stream, clock = io.StringIO(), ManualClock()
    handler = log.set_up(stream, form="pretty", level="info", root=logger)
    assert handler is not None
    edge = log.LogEdge(logger, clock)
    for _ in range(30_000):
        edge("store.unavailable", error="refused")
    clock.advance(SECOND)
    edge("store.unavailable", error="refused")
    handler.close()
    first, second = stream.getvalue().splitlines()
    assert "refused" in first
    assert "29999 more like this" in second


def test_events_of_single_jobs_may_be_more_but_are_bounded(logger: logging.Logger) -> None:
    events = [("job.failed", {"job": str(n), "error": "x"}) for n in range(500)]
    assert len(written(logger, "pretty", *events)) == log.BURST


def test_an_event_below_the_level_costs_no_line(logger: logging.Logger) -> None:
    assert written(logger, "pretty", ("lease.renewed", {}), level="info") == []


def test_what_overlap_asks_for_is_no_warning(logger: logging.Logger) -> None:
    facts = {"schedule": "tick", "count": 3, "reason": "the run before it had not ended"}
    (line,) = written(logger, "pretty", ("schedule.passed", facts))
    assert "INFO" in line
    assert "schedule tick was due and is passed over: the run before it had not ended" in line


def test_a_fact_that_is_missing_does_not_stop_whoever_logs(logger: logging.Logger) -> None:
    (line,) = written(logger, "pretty", ("worker.started", {}))
    assert "worker ? is ready" in line


class Unspeakable:
    def __str__(self) -> str:
        raise ValueError("no")


def test_a_fact_that_cannot_be_shown_does_not_stop_whoever_logs(logger: logging.Logger) -> None:
    assert len(written(logger, "json", ("job.failed", {"thing": Unspeakable(), "error": "x"}))) == 1


def test_lines_of_tasks_carry_their_job_and_their_stack(logger: logging.Logger) -> None:
    stream = io.StringIO()
    handler = log.set_up(stream, form="json", level="info", context=lambda: {"job": "0192"}, root=logger)
    assert handler is not None
    try:
        raise ValueError("boom")
    except ValueError:
        logger.exception("could not charge", extra={"order": 7})
    handler.close()
    found = json.loads(stream.getvalue())
    assert (found["logger"], found["job"], found["order"]) == ("relet-test", "0192", 7)
    assert "ValueError: boom" in found["stack"]


def test_a_reader_that_stopped_reading_holds_nobody_up(logger: logging.Logger) -> None:
    read, write = os.pipe()
    stream = open(write, "w")  # noqa: SIM115, PTH123  a pipe
    handler = log.set_up(stream, form="pretty", level="info", root=logger)
    assert handler is not None
    edge = log.LogEdge(logger, ManualClock())
    logged = threading.Thread(target=lambda: [logger.warning("x" * 1000) for _ in range(2000)])
    logged.start()
    logged.join(10)
    assert not logged.is_alive()
    edge("worker.started", worker="w")
    os.close(read)  # the writer gets EPIPE, and is quiet about it
    handler.close()
    with suppress(BrokenPipeError):  # what the last write left in the buffer
        stream.close()


def test_an_application_that_logs_itself_keeps_its_logging(logger: logging.Logger) -> None:
    own = logging.NullHandler()
    logger.addHandler(own)
    assert log.set_up(io.StringIO(), form="pretty", level="info", root=logger) is None
    assert logger.handlers == [own]


def test_every_event_that_the_package_emits_has_its_words() -> None:
    import re
    from pathlib import Path

    import relet

    found = {
        event
        for room in ("work", "maintain")
        for file in Path(relet.__file__).parent.joinpath(room).glob("*.py")
        for event in re.findall(r'"((?:job|worker|session|lease|store|chore)\.[a-z_]+)"', file.read_text())
    }
    assert found
    assert found - set(log.SENTENCES) == set()


def test_a_fact_that_the_sentence_says_is_not_repeated(logger: logging.Logger) -> None:
    (line,) = written(logger, "pretty", ("job.cancelled", {"job": "0192", "reason": "too late", "error": "too late"}))
    assert line.count("too late") == 1


def test_tee_hands_an_event_to_everybody_in_order() -> None:
    heard: list[tuple[int, str, object]] = []
    one = tee(
        lambda event, /, **fields: heard.append((1, event, fields["a"])),
        silent,
        lambda event, /, **fields: heard.append((2, event, fields["a"])),
    )
    one("x.y", a=7)
    assert heard == [(1, "x.y", 7), (2, "x.y", 7)]
