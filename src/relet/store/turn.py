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
from relet.store.aftermath import OF_NOTE, Moved, aftermath
from relet.store.drive import drive
from relet.store.link import Params, Row, Tx
from relet.store.records import LimitPause, Notes, Usage

_INSERT = {
    State.SUCCEEDED: ("settle_finished",),
    State.CANCELLED: ("settle_attempt", "settle_finished"),
    State.DEAD: ("settle_attempt", "settle_dead"),
    State.SCHEDULED: ("settle_attempt", "settle_scheduled"),
    State.READY: ("settle_attempt", "settle_ready"),
}
"""Which rows the end of a claim leaves behind; the claim itself is deleted last."""

_UNIQUE = int(Flag.UNIQUE)
"""As a number: an operation on flags makes a member of the enum, which takes longer than the rest of a settle."""

_TAKEN_BACK = (Ended.LOST, Ended.RELEASE)


def write_notes(tx: Tx, session_id: bytes, notes: Notes) -> list[Usage]:
    """Progress, log lines and usage of claims that stand; of others, nothing is written.

    Returns what was consumed and is new: whoever calls adds it up."""
    new: list[Usage] = []
    for name, lines in (
        ("note_progress", notes.progress),
        ("note_log", notes.logs),
        ("note_usage", notes.usage),
        ("note_pause", notes.pauses),
    ):
        if lines:
            written = tx.many(name, [{**line._asdict(), "session_id": session_id} for line in lines])
            if name == "note_usage":
                new = [entry for entry, count in zip(notes.usage, written, strict=True) if count]
    return new


def hold_claims(tx: Tx, session_id: bytes, settles: Sequence[Settle]) -> None:
    """Lock the claims that are to end, in the order of their ids."""
    rows = [fence_of(session_id, settle) for settle in sorted(settles, key=lambda settle: settle.job_id)]
    if rows:
        tx.each("settle_lock", rows)


def write_settles(
    tx: Tx,
    session_id: bytes,
    settles: Sequence[Settle],
    before: Sequence[Moved] = (),
    pauses: Sequence[LimitPause] = (),
) -> tuple[Answer, ...]:
    """End these claims, each only if it stands; one answer per settle, in order. Of several for one claim the first counts.

    `pauses` of limits are written whether claims stand or not: what a service asked for is true whoever says it. They hold for
    those that stand behind the jobs which end here.

    What follows from these ends, and from those `before` in the same turn, is drawn at once and last: who is in the middle of
    it holds all its pointers, so that two turns whose jobs are counted in the same batches wait for each other in one order."""
    answers, moves = _write(tx, session_id, settles)
    drive(tx, aftermath([*before, *moves], pauses=pauses))
    return answers


def _write(tx: Tx, session_id: bytes, settles: Sequence[Settle]) -> tuple[tuple[Answer, ...], list[Moved]]:
    if not settles:
        return (), []
    first = {(settle.job_id, settle.epoch): place for place, settle in reversed(list(enumerate(settles)))}
    if len(first) < len(settles):
        return _write_once(tx, session_id, settles, set(first.values()))
    groups: dict[tuple[State, bool], list[int]] = defaultdict(list)
    for place, settle in enumerate(settles):
        groups[settle.to, bool(settle.flags & _UNIQUE)].append(place)
    rows = [_row(session_id, settle) for settle in settles]
    flags = {row[0]: row[1] for row in tx.each("settle_lock", sorted(rows, key=itemgetter("job_id")))}
    answers = [Answer.ACCEPTED] * len(settles)
    for (to, unique), places in groups.items():
        _write_group(tx, to, unique, [rows[place] for place in places])
        ended = end_each(tx, session_id, [settles[place] for place in places])
        for place, answer in zip(places, ended, strict=True):
            answers[place] = answer
    notable = [(s, a) for s, a in zip(settles, answers, strict=True) if flags.get(s.job_id, 0) & OF_NOTE]
    return tuple(answers), [Moved(s.job_id, flags[s.job_id], s.to) for s, a in notable if a is Answer.ACCEPTED]


def _write_once(
    tx: Tx, session_id: bytes, settles: Sequence[Settle], first: set[int]
) -> tuple[tuple[Answer, ...], list[Moved]]:
    """End each claim by the first settle for it, at these places. The others come too late, as in a later turn."""
    written, moves = _write(tx, session_id, [settles[place] for place in sorted(first)])
    answers = iter(written)
    late = iter(end_each(tx, session_id, [settle for place, settle in enumerate(settles) if place not in first]))
    return tuple([next(answers if place in first else late) for place in range(len(settles))]), moves


def _write_group(tx: Tx, to: State, unique: bool, rows: Sequence[Params]) -> None:
    for name in _INSERT[to]:
        tx.many(name, rows)
    if unique and to.ended:
        tx.many("settle_unique", rows)


def end_each(tx: Tx, session_id: bytes, settles: Sequence[Settle]) -> list[Answer]:
    """Delete the claims, whose other rows are written; whether a row was deleted is the answer, or else what is remembered."""
    fences = [fence_of(session_id, settle) for settle in settles]
    deleted = tx.many("settle_running", fences)
    return [
        Answer.ACCEPTED if count else judge(settle, tx.all("settle_evidence", **fence))
        for settle, fence, count in zip(settles, fences, deleted, strict=True)
    ]


def fence_of(session_id: bytes, settle: Settle) -> dict[str, Any]:
    """The fence of a claim, as parameters."""
    return {"job_id": settle.job_id, "session_id": session_id, "epoch": settle.epoch}


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
        "breaker": settle.breaker,
    }
