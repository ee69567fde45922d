"""The turn in one statement: what succeeded is settled, what fits is claimed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from typing import NamedTuple

import msgspec

from relet.job.job import Claim, Counters, Flag
from relet.job.limits import rule_name
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.store.aftermath import Moved
from relet.store.link import Row
from relet.store.postgres.arrays import ids, integers, texts
from relet.store.postgres.link import PostgresTx, prepare
from relet.store.postgres.wire import Prepared
from relet.store.records import LimitedQueue, LimitPause, Want
from relet.store.statements import load
from relet.store.turn import write_settles

_FRESH = Counters()
_SUCCEEDED = State.SUCCEEDED
_UNIQUE, _COUNTED = int(Flag.UNIQUE), int(Flag.COUNTED)
_SPECIAL = ~(_UNIQUE | _COUNTED | int(Flag.FAIR))
"""Bound once, and a number: for each of many settles, enums would cost more than all the rest."""


class Fused(NamedTuple):
    """What the statement said."""

    now: int | None
    """None: the session has ended."""
    live: bool
    claims: tuple[Claim, ...]
    missing: list[int]
    """Places of the settles whose claims do not stand."""
    limited: tuple[LimitedQueue, ...] = ()


@cache
def _statement(schema: str, settles: bool, unique: bool, claims: bool, limited: bool, rings: bool) -> Prepared:
    """The statement with the parts that are wanted."""
    part = load_parts()
    middle = [part["part_settle"]] * settles + [part["part_unique"]] * unique
    middle += [part["part_settle_none"]] * (limited and not settles)
    middle += [part["part_limited"], part["part_claim_limited" if limited else "part_claim"]] * claims
    head = part["part_answer_settled" if settles else "part_answer"]
    if claims:
        head = head.replace("null::text, null::int8\n", f"{part['part_limits']}, null::int8\n")
    answers = (
        [head] + [part["part_settled"]] * settles + [part["part_claimed"]] * claims + [part["part_left"]] * limited
    )
    answers += [part["part_rung_limited" if limited else "part_rung"]] * rings
    text = "with " + ",\n".join([part["part_me"], *middle]) + "\n" + "\nunion all\n".join(answers)
    return prepare(f"turn_{settles:d}{unique:d}{claims:d}" + "_limited" * limited + "_rings" * rings, text, schema)


@cache
def load_parts() -> dict[str, str]:
    """The parts of the statement, by name."""
    return {name: text for name, text in load("postgres").items() if name.startswith("part_")}


def plain(settle: Settle) -> bool:
    """Whether the one statement can write it: a success, as most are, of a job that nobody waits for."""
    return settle.to is _SUCCEEDED and not settle.flags & _SPECIAL


def fused(tx: PostgresTx, schema: str, session_id: bytes, settles: Sequence[Settle], want: Want | None) -> Fused:
    """Run it. All settles must be plain."""
    statement, params = composed(schema, session_id, settles, want)
    values = statement.values(params)
    if want is not None and want.limited:
        rows = tx.after("limit_claim", params, statement, values).rows
    else:
        rows = tx.execute(statement, values).rows
    return _read(rows, settles, want)


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
    limited = want is not None and bool(want.limited)
    rings = any(settle.flags & _COUNTED for settle in settles)
    return _statement(schema, bool(settles), unique, want is not None, limited, rings), params


def _wanted(want: Want) -> dict[str, object]:
    queues, ranks, afters = zip(*want.lanes, strict=True) if want.lanes else ((), (), ())
    limited: dict[str, object] = {}
    if want.limited:
        limited["line_texts"] = texts(tuple(dict.fromkeys(queues)))
        limited["rule_texts"] = texts([rule_name(queue) for queue in want.limited])
    return limited | {
        "queue_texts": texts(queues),
        "rank_integers": integers(ranks),
        "after_integers": integers(afters),
        "task_texts": texts(want.tasks),
        "offer_texts": texts(want.offers),
        "younger_than_us": want.younger_than_us,
        "limit": want.limit,
    }


def _read(rows: list[Row], settles: Sequence[Settle], want: Want | None) -> Fused:
    _, accepted, _, _, _, now, live, *_, limits, _ = rows[0]
    first, missing = 1, list[int]()
    if settles and accepted < len(settles):
        first = 1 + accepted
        missing = _missing(settles, {(row[0], row[1]) for row in rows[1:first]})
    if want is None:
        return Fused(now, bool(live), (), missing)
    last, limited = len(rows), ()
    if limits is not None:
        while last > first and rows[last - 1][0] is None:
            last -= 1
        limited = _limited_queues(rows[last:], limits, want)
    return Fused(now, bool(live), _claims(rows[first:last], now, want) if last > first else (), missing, limited)


def _limited_queues(rows: list[Row], limits: str, want: Want) -> tuple[LimitedQueue, ...]:
    """The limited queues that were wanted; those that the turn was not made for are closed to it."""
    if want.limited:
        return tuple(map(_limited_queue, rows))
    limited = frozenset(msgspec.json.decode(limits, type=tuple[str, ...]))
    return tuple(
        LimitedQueue(queue, False) for queue in dict.fromkeys(lane.queue for lane in want.lanes) if queue in limited
    )


def _limited_queue(row: Row) -> LimitedQueue:
    _, held, _, queue, _, next_at, _, left, *_ = row
    return LimitedQueue(queue, bool(held), left or 0, next_at)


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
    args, options, created_at, cancel, ready_at = facts
    fresh = not (attempt or crashes or suspicions or releases)
    counters = _FRESH if fresh else Counters(attempt, crashes, suspicions, releases)
    fields = (job_id, epoch, task, queue, rank, seq, flags, counters, args, options, created_at, now, cancel, ready_at)
    return Claim._make(fields)


def settle_special(
    tx: PostgresTx, session_id: bytes, settles: Sequence[Settle], pauses: Sequence[LimitPause] = ()
) -> tuple[Answer, ...]:
    """Any settles, in an open transaction that holds the session: successes at once, others one by one, then what follows."""
    won = sorted(
        (settle for settle in settles if settle.to is State.SUCCEEDED), key=lambda settle: (settle.job_id, settle.epoch)
    )
    accepted, moves = _win(tx, session_id, won) if won else (set[tuple[bytes, int]](), [])
    missing = _missing(settles, accepted)
    answers = [Answer.ACCEPTED] * len(settles)
    others = write_settles(tx, session_id, [settles[place] for place in missing], moves, pauses)
    for place, answer in zip(missing, others, strict=True):
        answers[place] = answer
    return tuple(answers)


def _win(tx: PostgresTx, session_id: bytes, settles: Sequence[Settle]) -> tuple[set[tuple[bytes, int]], list[Moved]]:
    rows = tx.all(
        "turn_flagged",
        session_id=session_id,
        settle_ids=ids([settle.job_id for settle in settles]),
        epoch_integers=integers([settle.epoch for settle in settles]),
        result_texts=texts([settle.result for settle in settles]),
    )
    moves = [Moved(job_id, flags, State.SUCCEEDED) for job_id, _, flags, _ in rows]
    return {(job_id, epoch) for job_id, epoch, *_ in rows}, moves
