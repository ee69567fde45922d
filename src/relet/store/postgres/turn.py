"""The turn in one statement: what succeeded is settled, what fits is claimed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from typing import NamedTuple

from relet.job.job import Claim, Counters, Flag
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.store.link import Row
from relet.store.port import Want
from relet.store.postgres.arrays import ids, integers, texts
from relet.store.postgres.link import PostgresTx, prepare
from relet.store.postgres.wire import Prepared
from relet.store.statements import load
from relet.store.turn import judge

_FRESH = Counters()
_SUCCEEDED = State.SUCCEEDED
_UNIQUE = int(Flag.UNIQUE)
"""Bound once, and a number: for each of many settles, enums would cost more than all the rest."""


class Fused(NamedTuple):
    """What the statement said."""

    now: int | None
    """None: the session has ended."""
    live: bool
    claims: tuple[Claim, ...]
    missing: list[int]
    """Places of the settles whose claims do not stand."""


@cache
def _statement(schema: str, settles: bool, unique: bool, claims: bool) -> Prepared:
    """The statement with the parts that are wanted."""
    part = load_parts()
    middle = [part["part_settle"]] * settles + [part["part_unique"]] * unique + [part["part_claim"]] * claims
    head = part["part_answer_settled" if settles else "part_answer"]
    answers = [head] + [part["part_settled"]] * settles + [part["part_claimed"]] * claims
    text = "with " + ",\n".join([part["part_me"], *middle]) + "\n" + "\nunion all\n".join(answers)
    return prepare(f"turn_{settles:d}{unique:d}{claims:d}", text, schema)


@cache
def load_parts() -> dict[str, str]:
    """The parts of the statement, by name."""
    return {name: text for name, text in load("postgres").items() if name.startswith("part_")}


def plain(settle: Settle) -> bool:
    """Whether the one statement can write it: a success, as most are."""
    return settle.to is _SUCCEEDED


def fused(tx: PostgresTx, schema: str, session_id: bytes, settles: Sequence[Settle], want: Want | None) -> Fused:
    """Run it. All settles must be plain."""
    statement, params = composed(schema, session_id, settles, want)
    return _read(tx.execute(statement, statement.values(params)).rows, settles, want)


def composed(
    schema: str, session_id: bytes, settles: Sequence[Settle], want: Want | None
) -> tuple[Prepared, dict[str, object]]:
    """The statement for a turn, and its parameters."""
    unique = any(settle.flags & _UNIQUE for settle in settles)
    params: dict[str, object] = {"session_id": session_id}
    if settles:
        params["settle_ids"] = ids([settle.job_id for settle in settles])
        params["epoch_integers"] = integers([settle.epoch for settle in settles])
        params["result_texts"] = texts([settle.result for settle in settles])
    if want is not None:
        params |= _wanted(want)
    return _statement(schema, bool(settles), unique, want is not None), params


def _wanted(want: Want) -> dict[str, object]:
    queues, ranks, afters = zip(*want.lanes, strict=True) if want.lanes else ((), (), ())
    return {
        "queue_texts": texts(queues),
        "rank_integers": integers(ranks),
        "after_integers": integers(afters),
        "task_texts": texts(want.tasks),
        "offer_texts": texts(want.offers),
        "younger_than_us": want.younger_than_us,
        "limit": want.limit,
    }


def _read(rows: list[Row], settles: Sequence[Settle], want: Want | None) -> Fused:
    _, accepted, _, _, _, now, live, *_ = rows[0]
    first, missing = 1, list[int]()
    if settles and accepted < len(settles):
        first = 1 + accepted
        missing = _missing(settles, {(row[0], row[1]) for row in rows[1:first]})
    claims = _claims(rows[first:], now, want) if want is not None and len(rows) > first else ()
    return Fused(now, bool(live), claims, missing)


def _missing(settles: Sequence[Settle], accepted: set[tuple[bytes, int]]) -> list[int]:
    """Places of those that were not accepted. Of two settles of one claim, the first one was."""
    places: list[int] = []
    for place, settle in enumerate(settles):
        key = (settle.job_id, settle.epoch)
        if key in accepted:
            accepted.remove(key)
        else:
            places.append(place)
    return places


def _claims(rows: list[Row], now: int, want: Want) -> tuple[Claim, ...]:
    """In the order of the lanes, and of the places in each: rows come as they lie on disk."""
    if len({row[3] for row in rows}) == 1 == len({row[4] for row in rows}):
        rows.sort(key=itemgetter(5))
    else:
        places = {(lane.queue, lane.rank): place for place, lane in enumerate(want.lanes)}
        rows.sort(key=lambda row: (places[row[3], row[4]], row[5]))
    return tuple([claim_of(row, now) for row in rows])


def claim_of(row: Row, now: int) -> Claim:
    """A row of the statement as a claim made at `now`."""
    job_id, epoch, task, queue, rank, seq, flags, attempt, crashes, suspicions, releases, *facts = row
    args, options, created_at, cancel = facts
    fresh = not (attempt or crashes or suspicions or releases)
    counters = _FRESH if fresh else Counters(attempt, crashes, suspicions, releases)
    fields = (job_id, epoch, task, queue, rank, seq, flags, counters, args, options, created_at, now, cancel)
    return Claim._make(fields)


def judged(tx: PostgresTx, session_id: bytes, settles: Sequence[Settle], missing: Sequence[int]) -> tuple[Answer, ...]:
    """One answer per settle, in order: accepted, but for the missing ones, which the evidence decides."""
    answers = [Answer.ACCEPTED] * len(settles)
    asked = [settles[place] for place in missing]
    rows = tx.all(
        "turn_evidence",
        session_id=session_id,
        settle_ids=ids([settle.job_id for settle in asked]),
        epoch_integers=integers([settle.epoch for settle in asked]),
    )
    for place, settle, row in zip(missing, asked, rows, strict=True):
        answers[place] = judge(settle, [row] if row[0] is not None else [])
    return tuple(answers)
