"""The turn: write what was said and what has ended, claim what fits. One transaction, one commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from relet.job.job import Flag
from relet.job.outcome import Ended
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.store.link import Params, Row, Tx
from relet.store.records import Notes

_INSERT = {
    State.SUCCEEDED: ("settle_finished",),
    State.CANCELLED: ("settle_attempt", "settle_finished"),
    State.DEAD: ("settle_attempt", "settle_dead"),
    State.SCHEDULED: ("settle_attempt", "settle_scheduled"),
    State.READY: ("settle_attempt", "settle_ready"),
}
"""Which rows the end of a claim leaves behind; the claim itself is deleted last."""

_TAKEN_BACK = (Ended.LOST, Ended.RELEASE)


def write_notes(tx: Tx, session_id: bytes, notes: Notes) -> None:
    """Progress, log lines and usage of claims that stand; of others, nothing is written."""
    for name, lines in (
        ("note_progress", notes.progress),
        ("note_log", notes.logs),
        ("note_usage", notes.usage),
    ):
        if lines:
            tx.many(name, [{**line._asdict(), "session_id": session_id} for line in lines])


def write_settles(tx: Tx, session_id: bytes, settles: Sequence[Settle]) -> tuple[Answer, ...]:
    """End these claims, each only if it stands; one answer per settle, in order."""
    groups: dict[tuple[State, bool], list[int]] = defaultdict(list)
    for place, settle in enumerate(settles):
        groups[settle.to, bool(settle.flags & Flag.UNIQUE)].append(place)
    rows = [_row(session_id, settle) for settle in settles]
    tx.many("settle_lock", sorted(rows, key=itemgetter("job_id")))
    answers = [Answer.ACCEPTED] * len(settles)
    for (to, unique), places in groups.items():
        deleted = _write_group(tx, to, unique, [rows[place] for place in places])
        for place, count in zip(places, deleted, strict=True):
            if not count:
                answers[place] = judge(settles[place], tx.all("settle_evidence", **rows[place]))
    return tuple(answers)


def _write_group(tx: Tx, to: State, unique: bool, rows: Sequence[Params]) -> list[int]:
    for name in _INSERT[to]:
        tx.many(name, rows)
    if unique and to.ended:
        tx.many("settle_unique", rows)
    return tx.many("settle_running", rows)


def judge(settle: Settle, evidence: Sequence[Row]) -> Answer:
    """What to say to a settle whose claim does not stand, by what the store remembers of it."""
    if not evidence:
        return Answer.EXPIRED
    _, finished, attempt = evidence[0]
    if attempt == settle.ended or (attempt not in _TAKEN_BACK and (finished or attempt)):
        return Answer.REPLAYED
    return Answer.FENCED


def _row(session_id: bytes, settle: Settle) -> dict[str, Any]:
    counters = settle.counters
    return {
        "job_id": settle.job_id,
        "session_id": session_id,
        "epoch": settle.epoch,
        "ended": settle.ended.value,
        "state": settle.to.value,
        "attempt": counters.attempt,
        "crashes": counters.crashes,
        "suspicions": counters.suspicions,
        "releases": counters.releases,
        "delay_us": settle.delay_us,
        "result": settle.result,
        "error": settle.error,
        "stack": settle.stack,
        "reason": settle.dead_reason.value if settle.dead_reason else "",
    }
