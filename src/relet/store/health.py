"""How healthy queues and workers are: judged by whoever is due, by what was counted lately (`relet.job.health` has the rules).

One row for who was ever ill, and one for all together. A change of health is a row of its own, by which uptime is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relet.job.figures import Came
from relet.job.health import FORGET_US, HEALTHY, NOBODY, UNSEEN_US, Pause, Rules, Standing, Tally, judge
from relet.job.textsafe import storable
from relet.store.figures import sums
from relet.store.link import Link, Tx
from relet.store.measures import ALL, HealthChange, HealthReport, HealthRow, QueueHealth, WorkerHealth
from relet.store.queues import all_queues
from relet.store.rows import SessionRow
from relet.store.standing import session_rows

QUEUE, WORKER = "queue:", "worker:"


class Health:
    """The verbs of health, over any link."""

    _link: Link

    def judge_health(self, rules: Rules) -> list[HealthChange]:
        with self._link.write() as tx:
            now = int(tx.all("session_now")[0][0])
            changes = _gap(tx, now)
            before = _rows(tx)
            judged = {f"{QUEUE}{queue}": standing for queue, standing in _queues(tx, rules, before, now)}
            gone = _forget(tx, before, judged)
            changes += [
                change
                for subject, standing in judged.items()
                if (change := _write(tx, subject, before.get(subject), standing, now)) is not None
            ]
            rest = [row.standing for subject, row in before.items() if subject not in {*judged, *gone, ALL}]
            ill = sum(not standing.healthy for standing in (*rest, *judged.values()))
            overall = Standing(not ill, bool(ill), f"{ill} of its queues and workers are not healthy" if ill else "")
            whole = _write(tx, ALL, before.get(ALL), overall, now, always=True)
            return changes if whole is None else [*changes, whole]

    def judge_worker(self, worker: str, tally: Tally, rules: Rules) -> HealthChange | None:
        subject = f"{WORKER}{worker}"
        with self._link.read() as tx:
            before = _row(tx, subject)
        standing = judge(rules, HEALTHY if before is None else before.standing, tally)
        if standing == (HEALTHY if before is None else before.standing):
            return None
        with self._link.write() as tx:
            return _write(tx, subject, before, standing, int(tx.all("session_now")[0][0]))


class HealthReading:
    """What people see of it, over any link."""

    _link: Link

    def health_report(self, rules: Rules, cap: int = 100_000) -> HealthReport:
        with self._link.read() as tx:
            now = int(tx.all("session_now")[0][0])
            looked = tx.all("done_at", what="health")
            rows = _rows(tx)
            recent, ever = _tallies(tx, now - rules.window_us), _tallies(tx, None)
            queues = {row.name: row for row in all_queues(tx, cap)}
            names = sorted({*queues, *ever, *(name.removeprefix(QUEUE) for name in rows if name.startswith(QUEUE))})
            return HealthReport(
                now,
                int(looked[0][0]) if looked else None,
                rows.get(ALL, HealthRow(HEALTHY, None)),
                tuple(
                    QueueHealth(
                        name,
                        rows.get(f"{QUEUE}{name}", HealthRow(HEALTHY, None)),
                        queues[name].ready if name in queues else 0,
                        queues[name].running if name in queues else 0,
                        recent.get(name, Tally()),
                        ever.get(name, Tally()),
                    )
                    for name in names
                ),
                tuple(_worker(row, rows) for row in session_rows(tx, 0) if row.live),
            )

    def health_changes(self, subject: str, since_at: int) -> list[HealthChange]:
        with self._link.read() as tx:
            rows = tx.all("health_turns", subject=subject, since_at=since_at)
            return [HealthChange(subject, at, bool(healthy), because) for at, healthy, because in rows]


def _worker(row: SessionRow, rows: Mapping[str, HealthRow]) -> WorkerHealth:
    found = rows.get(f"{WORKER}{row.worker}", HealthRow(HEALTHY, None))
    return WorkerHealth(row.worker, found, row.held, row.slots, Tally(row.done, row.failed))


def _gap(tx: Tx, now: int) -> list[HealthChange]:
    """Mark that somebody has looked. If nobody had for long, it was not healthy in between: nobody was there."""
    looked = tx.all("done_at", what="health")
    tx.run("done_mark", what="health")
    if not looked or now - looked[0][0] <= UNSEEN_US:
        return []
    gone = HealthChange(ALL, int(looked[0][0]) + UNSEEN_US, False, NOBODY)
    tx.run("health_turn", **{**gone._asdict(), "healthy": 0})
    tx.run("health_put", subject=ALL, healthy=0, failing=1, because=NOBODY)
    return []


def _queues(tx: Tx, rules: Rules, before: Mapping[str, HealthRow], now: int) -> Iterator[tuple[str, Standing]]:
    """Those that have run something, are paused, or were ill."""
    tallies = _tallies(tx, now - rules.window_us)
    pauses = {
        name: Pause(by or "", reason or "", resume_at)
        for name, paused_at, by, reason, resume_at, *_ in tx.all("queue_settings", queue="")
        if paused_at is not None
    }
    known = {name.removeprefix(QUEUE): row for name, row in before.items() if name.startswith(QUEUE)}
    old = {name for name, row in known.items() if row.standing.failing and now - (row.since_at or now) > FORGET_US}
    forgotten = old - {*_tallies(tx, now - FORGET_US)} if old else set[str]()
    for name in sorted({*tallies, *pauses, *known}):
        row = known.get(name)
        standing = HEALTHY if row is None or name in forgotten else row.standing
        yield name, judge(rules, standing, tallies.get(name, Tally()), pauses.get(name))


def _tallies(tx: Tx, since_at: int | None) -> dict[str, Tally]:
    found: dict[str, Tally] = {}
    for row in sums(tx, since_at):
        added = found.get(row.queue, Tally())
        found[row.queue] = Tally(added.succeeded + row.figure.of(Came.SUCCEEDED), added.errors + row.figure.errors)
    return found


def _forget(tx: Tx, before: Mapping[str, HealthRow], judged: Mapping[str, Standing]) -> set[str]:
    """Workers that are gone are neither healthy nor not."""
    live = {f"{WORKER}{worker}" for worker, _ in tx.all("workers_live")}
    gone = {
        subject for subject in before if subject.startswith(WORKER) and subject not in live and subject not in judged
    }
    for subject in sorted(gone):
        tx.run("health_drop", subject=subject)
    return gone


def _write(
    tx: Tx, subject: str, before: HealthRow | None, standing: Standing, now: int, *, always: bool = False
) -> HealthChange | None:
    """Write what is new. A change of health is told, also the first thing that is known of all together."""
    was = HEALTHY if before is None else before.standing
    if standing == was and not (before is None and always):
        return None
    because = storable(standing.because)
    tx.run("health_put", subject=subject, healthy=int(standing.healthy), failing=int(standing.failing), because=because)
    turned = standing.healthy is not was.healthy
    if turned or before is None:
        tx.run("health_turn", subject=subject, at=now, healthy=int(standing.healthy), because=because)
    return HealthChange(subject, now, standing.healthy, because) if turned else None


def _rows(tx: Tx) -> dict[str, HealthRow]:
    return {subject: _health(*row) for subject, *row in tx.all("health_all")}


def _row(tx: Tx, subject: str) -> HealthRow | None:
    found = tx.all("health_one", subject=subject)
    return _health(*found[0]) if found else None


def _health(healthy: int, failing: int, because: str, since_at: int) -> HealthRow:
    return HealthRow(Standing(bool(healthy), bool(failing), because), since_at)
