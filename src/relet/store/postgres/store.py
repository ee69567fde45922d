"""The PostgreSQL store: the portable verbs, with the hot ones in one statement each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict

from relet.errors import Contended, OutcomeUnknown, StoreError
from relet.job.job import Claim, Flag, NewBatch, NewJob
from relet.job.settlement import Answer, Settle
from relet.store.contention import repeated
from relet.store.costs import write_spend
from relet.store.link import Row, Tx
from relet.store.port import Bell, Effects, Known
from relet.store.postgres.arrays import integers, texts
from relet.store.postgres.bell import Doze, PostgresBell
from relet.store.postgres.effects import PostgresEffects
from relet.store.postgres.enqueue import CHUNK, SharedQueue, bulk, bulk_shared, flagged, with_shares
from relet.store.postgres.failures import AlreadyThere
from relet.store.postgres.insights import PostgresInsights
from relet.store.postgres.lease import look, look_for_all
from relet.store.postgres.link import PostgresLink, PostgresTx
from relet.store.postgres.tidy import make_room, prune_rows, retire, sweep
from relet.store.postgres.turn import Fused, fused, plain, settle_special
from relet.store.reads import Insights
from relet.store.records import Beat, Enqueued, Lane, LimitedQueue, Notes, Renewed, Turned, Want
from relet.store.relational import RelationalStore
from relet.store.turn import hold_claims, write_notes

_FAIR = int(Flag.FAIR)


class PostgresStore(RelationalStore):
    """One connection to one PostgreSQL schema."""

    _link: PostgresLink

    def __init__(self, link: PostgresLink) -> None:
        super().__init__(link)
        self._link = link
        self._schema = link.address.schema
        self._bell: PostgresBell | None = None
        self._doze = Doze()

    @property
    def link(self) -> PostgresLink:
        """The connection itself: for whoever measures the statements without the store."""
        return self._link

    def close(self) -> None:
        super().close()
        if self._bell is not None:
            self._bell.close()
            self._bell = None

    def bell(self) -> Bell | None:
        if self._bell is None and self._link.listen():
            self._bell = PostgresBell(self._link)
        return self._bell

    def now(self) -> int:
        with self._link.glance() as tx:
            return int(tx.all("session_now")[0][0])

    def lane_ends(self, lanes: Sequence[Lane]) -> list[int]:
        with self._link.glance() as tx:
            queues, ranks = texts([lane.queue for lane in lanes]), integers([lane.rank for lane in lanes])
            ends = tx.all("lane_ends", queue_texts=queues, rank_integers=ranks)
            return [lane.after if end is None else end for lane, (end,) in zip(lanes, ends, strict=True)]

    def ranks(self, queues: Sequence[str]) -> list[tuple[str, int]]:
        with self._link.glance() as tx:
            found = [(queue, rank) for queue, rank in tx.all("lane_ranks")]
            return [pair for pair in found if pair[0] in queues] if queues else found

    def next_due(self) -> int | None:
        with self._link.glance() as tx:
            due: int | None = tx.all("promote_next")[0][0]
            return due

    def _promote(self, tx: Tx, limit: int) -> list[Row]:
        return tx.all("promote_due", limit=limit)

    def prune(self, finished_older_us: int, dead_older_us: int, limit: int) -> int:
        """As the port says, but whole days go at once, and then `limit` does not count."""
        make_room(self._link, finished_older_us)
        forgotten = retire(self._link, finished_older_us)
        sweep(self._link, limit)
        return forgotten + prune_rows(self._link, finished_older_us, dead_older_us, limit)

    def renew(self, session_id: bytes, lease_us: int, beat: Beat, known: Known = None) -> Renewed:
        with self._link.alone() as tx:
            tx.run("session_renew", session_id=session_id, lease_us=lease_us, **asdict(beat))
        return look_for_all(self._link, session_id, known)

    def listen(self, session_id: bytes, known: Known = None) -> Renewed:
        with self._link.read() as tx:
            return look(tx, session_id, known)

    def _may_be_lost(self, tx: Tx) -> None:
        tx.all("figures_quick")

    def begin_effects(self, session_id: bytes) -> Effects:
        return PostgresEffects(self._link, session_id)

    @property
    def insights(self) -> Insights:
        return PostgresInsights(self._link)

    @repeated
    def _enqueue(self, jobs: Sequence[NewJob], batches: Sequence[NewBatch]) -> list[Enqueued]:
        if any(job.on_conflict in ("replace", "debounce") for job in jobs if job.options.unique is not None):
            return super()._enqueue(jobs, batches)
        try:
            return self._write_all(jobs, batches, repeatable=False)
        except AlreadyThere:
            return self._enqueue_again(jobs, batches)

    def _enqueue_again(self, jobs: Sequence[NewJob], batches: Sequence[NewBatch]) -> list[Enqueued]:
        """Some are here by an earlier call; another one may still be bringing them."""
        try:
            return self._write_all(jobs, batches, repeatable=True)
        except AlreadyThere as error:
            raise Contended(
                f"PostgreSQL store {self.url}: these jobs are being enqueued by another call. Nothing was written by "
                "this one; repeat it."
            ) from error

    def _write_all(self, jobs: Sequence[NewJob], batches: Sequence[NewBatch], *, repeatable: bool) -> list[Enqueued]:
        try:
            return self._write(jobs, batches, repeatable=repeatable)
        except SharedQueue:
            return self._write(jobs, batches, repeatable=repeatable, maybe_shared=True)

    def _write(
        self, jobs: Sequence[NewJob], batches: Sequence[NewBatch], *, repeatable: bool, maybe_shared: bool = False
    ) -> list[Enqueued]:
        write = _way(jobs) if not batches and not maybe_shared else None
        answers: dict[bytes, Enqueued] = {}
        with self._link.alone() if write and len(jobs) <= CHUNK else self._link.write() as tx:
            if write:
                write(tx, self._schema, jobs, repeatable=repeatable)
            else:
                jobs = with_shares(tx, jobs) if maybe_shared else jobs
                answers = flagged(tx, self._schema, jobs, batches, repeatable=repeatable)
        return [answers.get(job.id) or Enqueued(job.id, True) for job in jobs]

    def turn(self, session_id: bytes, settles: Sequence[Settle], notes: Notes, want: Want | None) -> Turned:
        self._link.listener = session_id
        turned = self._turn(session_id, settles, notes, want)
        if self._bell is not None and want is not None and turned.live:
            self._tell(session_id, self._doze.turned(session_id, len(turned.claims), self.real.steady()))
        return turned

    def _tell(self, session_id: bytes, asleep: bool | None) -> None:
        """Say that it sleeps, or no longer does. What came before that was said rang for nobody: look once more."""
        if asleep is None:
            return
        with suppress(StoreError), self._link.alone() as tx:
            tx.run("session_asleep", session_id=session_id, asleep=int(asleep))
        self._link.notified = self._link.notified or asleep

    def _turn(self, session_id: bytes, settles: Sequence[Settle], notes: Notes, want: Want | None) -> Turned:
        if not notes and all(map(plain, settles)):
            return self._turn_alone(session_id, settles, want)
        with self._link.write() as tx:
            # Held from here on: the statements that follow are many, and a reclaim must not come between them.
            tx.all("session_hold", session_id=session_id)
            if notes.usage:  # before sums and budgets are: effects have their own claim first, and then those
                hold_claims(tx, session_id, settles)
            used = write_notes(tx, session_id, notes)
            if all(map(plain, settles)) and not notes.limit_pauses and not used:
                done = fused(tx, self._schema, session_id, settles, want)
                answers = _with_missing(tx, session_id, settles, done.missing)
            else:  # All of them: whoever draws consequences of one has to hold the pointers of the others already.
                pauses = (*notes.limit_pauses, *write_spend(tx, used))
                answers = settle_special(tx, session_id, settles, pauses)
                done = fused(tx, self._schema, session_id, (), want)
            return self._turned(tx, done, answers)

    def _turn_alone(self, session_id: bytes, settles: Sequence[Settle], want: Want | None) -> Turned:
        """Successes and a claim: one statement, which is its own transaction."""
        with self._link.alone() as tx:
            done = fused(tx, self._schema, session_id, settles, want)
        if done.now is not None and not done.missing:
            return Turned(done.live, done.now, (Answer.ACCEPTED,) * len(settles), done.claims, done.limited)
        try:
            return self._rest(session_id, settles, done)
        except StoreError as error:
            raise OutcomeUnknown(f"Most of the turn was written, but not all of it. {error}") from error

    @repeated
    def _rest(self, session_id: bytes, settles: Sequence[Settle], done: Fused) -> Turned:
        """What the one statement passed by: claims that are gone, and those that have got flags since they were made."""
        with self._link.write() as tx:
            tx.all("session_hold", session_id=session_id)
            return self._turned(tx, done, _with_missing(tx, session_id, settles, done.missing))

    @staticmethod
    def _turned(tx: Tx, done: Fused, answers: tuple[Answer, ...]) -> Turned:
        now = int(tx.all("session_now")[0][0]) if done.now is None else done.now
        return Turned(done.live, now, answers, done.claims, done.limited)

    def _claim(
        self,
        tx: Tx,
        session_id: bytes,
        want: Want,
        now: int,  # noqa: ARG002  it asks itself
    ) -> tuple[tuple[Claim, ...], tuple[LimitedQueue, ...]]:
        assert isinstance(tx, PostgresTx)
        done = fused(tx, self._schema, session_id, (), want)
        return done.claims, done.limited


def _way(jobs: Sequence[NewJob]) -> Callable[..., None] | None:
    """To write all of them with one statement for each chunk. None: they are of different kinds, or need more than that."""
    if any(job.after for job in jobs):
        return None
    kinds = {int(job.flags) for job in jobs}
    if kinds == {_FAIR} and not any(job.delay_us > 0 or job.run_at is not None for job in jobs):
        return bulk_shared
    return bulk if kinds <= {0} else None


def _with_missing(
    tx: PostgresTx, session_id: bytes, settles: Sequence[Settle], missing: Sequence[int]
) -> tuple[Answer, ...]:
    """One answer per settle, in order: accepted, but for the missing ones, for which more has to be written."""
    answers = [Answer.ACCEPTED] * len(settles)
    others = settle_special(tx, session_id, [settles[place] for place in missing])
    for place, answer in zip(missing, others, strict=True):
        answers[place] = answer
    return tuple(answers)
