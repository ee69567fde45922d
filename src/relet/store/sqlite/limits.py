"""Limited queues in a claim on SQLite: one writer, so what is counted here stands until the commit."""

from __future__ import annotations

from collections.abc import Sequence

from relet.job.job import Claim, Flag
from relet.job.limits import STEPS, Room, Rule, next_at, room, rule_name
from relet.store.limits import rule_of, tallies_of
from relet.store.records import LimitedQueue, Want
from relet.store.sqlite.link import SqliteTx

_COUNTED = int(Flag.COUNTED)


class WantedLimits:
    """The limited ones of the queues that a turn wants to claim from."""

    def __init__(self, tx: SqliteTx, session_id: bytes, want: Want, now: int) -> None:
        self._tx = tx
        self._now = now
        self._rules: dict[str, Rule] = {}
        for queue in dict.fromkeys(lane.queue for lane in want.lanes):
            found = tx.all("limit_look", rule=rule_name(queue))
            if found and found[0][3]:
                self._rules[queue] = rule_of(found[0])
        self._rooms = {queue: self._room(queue, session_id).free for queue in self._rules}

    def _room(self, queue: str, session_id: bytes) -> Room:
        running = dict(self._tx.all("limit_running", queue=queue))
        rule = self._rules[queue]
        tallies = tallies_of(self._tx, queue) if rule.rates else []
        return room(rule, sum(running.values()), running.get(session_id, 0), tallies, self._now)

    def room(self, queue: str, most: int) -> int:
        """How many may be taken from it, of at most so many."""
        return min(most, self._rooms.get(queue, most))

    def mark(self, queue: str) -> int | None:
        """What marks its claims."""
        return 1 if queue in self._rules else None

    def counted(self, claims: Sequence[Claim]) -> list[Claim]:
        """Count what was taken from one queue, if it is limited."""
        if not claims or claims[0].queue not in self._rules:
            return list(claims)
        queue = claims[0].queue
        self._rooms[queue] -= len(claims)
        self._tell(queue, len(claims))
        return [claim._replace(flags=claim.flags | _COUNTED) for claim in claims]

    def passed(self) -> tuple[LimitedQueue, ...]:
        """How each of the limited queues is left. Of what this turn has freed and taken itself, nobody need be told."""
        self._tx.freed.difference_update([queue for queue, left in self._rooms.items() if left <= 0])
        return tuple(LimitedQueue(queue, True, left, self._next_at(queue)) for queue, left in self._rooms.items())

    def _tell(self, queue: str, units: int) -> None:
        name, driver = rule_name(queue), self._tx.driver
        for rate in self._rules[queue].rates:
            step = rate.step(self._now)
            driver.execute(self._tx.sql("tally_add"), (name, rate.window_us, step, units))
            driver.execute(self._tx.sql("tally_sweep"), (name, rate.window_us, step - STEPS, step + STEPS))

    def _next_at(self, queue: str) -> int | None:
        rates = self._rules[queue].rates
        tallies = tallies_of(self._tx, queue) if rates else []
        return max((at for rate in rates if (at := next_at(rate, tallies, self._now)) is not None), default=None)


def note_freed(tx: SqliteTx, session_id: bytes, job_ids: Sequence[bytes]) -> None:
    """The slots of these claims are about to be free: whoever waits for them is woken after the commit."""
    for job_id in job_ids:
        tx.freed.update([row[0] for row in tx.driver.execute(tx.sql("counted_queue"), (job_id, session_id))])
