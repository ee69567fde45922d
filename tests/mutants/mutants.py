"""Small, plausible mistakes in the statements and in the worker. The suites must notice each of them."""

from typing import NamedTuple

SOONEST = tuple(f"tests/store/contract/test_{name}.py" for name in ("settle", "session", "reclaim", "claim", "unique"))
"""Where most mistakes of a store are noticed. pytest runs files of a folder that it is given too in their own order."""
STORE = ("tests/store/contract", "tests/store/model", "tests/store/steering")
WORKER = ("tests/work/test_clerk.py", "tests/work/test_keeper.py", "tests/work/test_lanes.py", "tests/simulation")
FENCE = " and r.session_id = :session_id and r.epoch = :epoch"


class Mutant(NamedTuple):
    """In a statement, or in a module whose name has a dot, `old` is written as `new`."""

    where: str
    old: str
    new: str
    engine: str = "sqlite"
    suites: tuple[str, ...] = STORE

    @property
    def name(self) -> str:
        """For reports."""
        return f"{self.where}: {self.old!r} as {self.new!r}" + (f" on {self.engine}" if "." not in self.where else "")

    @property
    def stages(self) -> tuple[tuple[str, ...], ...]:
        """What to run, one after the other, until it is noticed."""
        return (SOONEST, self.suites) if self.suites == STORE else (self.suites,)

    @property
    def tests(self) -> str:
        """Which tests of the suites are of its engine, as pytest takes it; all where that is not told by their names."""
        if self.suites != STORE:
            return ""
        return "postgres" if self.engine == "postgres" else "memory or sqlite"


def _worker(module: str, old: str, new: str) -> Mutant:
    return Mutant(f"relet.work.{module}", old, new, suites=WORKER)


def _postgres(statement: str, old: str, new: str) -> Mutant:
    return Mutant(statement, old, new, "postgres")


FIRST = (
    Mutant("succeed_finished", " and r.session_id = ?", " and ? is not null"),
    Mutant("settle_scheduled", FENCE, " and :session_id is not null and :epoch is not null"),
    Mutant("claim_running", "epoch + 1", "epoch"),
    Mutant("reclaim_hold", "s.lease_until <=", "s.lease_until <"),
    Mutant("session_renew", "where id = :session_id and ended_at is null", ", ended_at = null where id = :session_id"),
    Mutant("settle_unique", "job_id = :job_id and exists", "job_id <> :job_id and exists"),
)
"""Those that are tried in every test run: they are noticed soon."""

STATEMENTS = (
    # ── the fence
    Mutant("succeed_finished", " and r.epoch = e.epoch", " and e.epoch is not null"),
    Mutant("succeed_finished", " and r.flags & ~65 = 0", ""),
    Mutant("succeed_running", "delete from", "select 1 from"),
    Mutant("settle_running", " and epoch = :epoch", " and :epoch is not null"),
    Mutant("settle_running", " and session_id = :session_id", " and :session_id is not null"),
    Mutant("settle_finished", FENCE, " and :session_id is not null and :epoch is not null"),
    Mutant("settle_dead", "r.epoch = :epoch", ":epoch is not null"),
    Mutant("settle_ready", "r.session_id = :session_id", ":session_id is not null"),
    Mutant("settle_attempt", "r.epoch = :epoch", ":epoch is not null"),
    Mutant("settle_evidence", "f.epoch = :epoch and f.session_id = :session_id", "f.epoch = :epoch"),
    Mutant("settle_evidence", "a.session_id = :session_id", ":session_id is not null"),
    Mutant("note_progress", " and epoch = :epoch", " and :epoch is not null"),
    Mutant("note_log", "r.session_id = :session_id", ":session_id is not null"),
    # ── leases
    Mutant("session_hold", "s.lease_until > relet.lease_clock()", "true"),
    Mutant("session_hold", "and s.ended_at is null", "and true"),
    Mutant("session_hold", " and s.boot = relet.boot() as live", " as live"),
    Mutant("session_renew", " and boot = relet.boot()", ""),
    Mutant("session_renew", "lease_until = relet.lease_clock() + :lease_us", "lease_until = lease_until"),
    Mutant("session_open", "relet.lease_clock() + :lease_us", "relet.now_us() + :lease_us"),
    Mutant("session_state", "s.lease_until > relet.lease_clock()", "true"),
    Mutant("session_held", "r.session_id = :session_id", ":session_id is not null"),
    Mutant("reclaim_candidates", "s.boot <> relet.boot() or ", ""),
    Mutant("reclaim_candidates", "s.lease_until <= relet.lease_clock()", "s.lease_until < relet.lease_clock()"),
    # ── limits
    _postgres("part_claim_limited", "w.step - 60 and", "w.step - 59 and"),
    _postgres("part_claim_limited", " and u.session_id = me.id", ""),
    _postgres("part_claim", "coalesce(l.queue <> all((select queues from limited)::text[]), true)", "true"),
    Mutant("limit_mark", "where queue = :queue and counted is null", "where queue = :queue and false"),
    Mutant("claim_running", ":counted\n", "null\n"),
    Mutant("tally_add", "units + excluded.units", "excluded.units"),
    # ── what a reclaim gives back
    Mutant("reclaim_ready", "h.suspicions + :suspicion", "h.suspicions"),
    Mutant("reclaim_ready", "h.releases + 1", "h.releases"),
    Mutant("reclaim_ready", "-relet.next_seq()", "relet.next_seq()"),
    Mutant("reclaim_ready", "order by r.job_id desc", "order by r.job_id"),
    Mutant("reclaim_poison", ">= :too_many", "> :too_many"),
    Mutant("reclaim_cancelled", "and c.verb = 'cancel'", "and c.verb = 'no'"),
    Mutant("reclaim_unique", "r.suspicions + :suspicion >= :too_many", "false"),
    Mutant("reclaim_running", "session_id = :session_id", "session_id <> :session_id"),
    Mutant("reclaim_attempts", ":ended, :cause", "'success', :cause"),
    # ── claims
    Mutant("claim_lane", "epoch + 1", "epoch"),
    Mutant("claim_lane", "order by r.seq", "order by r.seq desc"),
    Mutant("claim_running", "r.seq in (select value from json_each(:seqs))", "true"),
    Mutant("claim_taken", " and seq between :first and :last", " and seq >= :first and :last is not null"),
    Mutant("claim_lane", "r.seq > :after", ":after is not null"),
    Mutant("claim_lane", "q.resume_at > relet.now_us()", "q.resume_at >= relet.now_us()"),
    Mutant("claim_lane", "q.paused_at is not null", "q.paused_at is null"),
    Mutant("claim_lane", "n.value not in", "n.value in"),
    Mutant("claim_lane", "r.ready_at <= :ready_before", "r.ready_at < :ready_before"),
    # ── enqueue
    Mutant("enqueue_ready", "and not exists (select 1 from relet.finished f where f.job_id = j.id)", ""),
    Mutant("enqueue_ready", "and not exists (select 1 from relet.running r where r.job_id = j.id)", ""),
    Mutant("enqueue_ready", "and not exists (select 1 from relet.dead d where d.job_id = j.id)", ""),
    Mutant("enqueue_scheduled", ") > relet.now_us()", ") >= relet.now_us()"),
    Mutant("enqueue_closed", "q.closed_at is not null", "false"),
    Mutant("unique_take", "where not exists (select 1 from relet.job j where j.id = :id)", "where true"),
    Mutant("enqueue_job_if_key", " and k.job_id = :id)", ")"),
    Mutant("replace_key", "and exists (select 1 from relet.finished f where f.job_id = relet.unique_key.job_id)", ""),
    Mutant("replace_finished_ready", "and not exists (select 1 from relet.job j where j.id = :id)", ""),
    Mutant("debounce_scheduled", "relet.now_us() + :debounce_us", "run_at + :debounce_us"),
    Mutant("debounce_ready", "and not exists (select 1 from relet.job j where j.id = :id)", ""),
    # ── chores and people
    Mutant("promote_due", "run_at <= relet.now_us()", "run_at < relet.now_us()"),
    Mutant("promote_due", "order by run_at, job_id", "order by job_id"),
    Mutant("prune_finished", "f.finished_at <", "f.finished_at <="),
    Mutant("prune_dead", "d.resolved_at <", "d.failed_at <"),
    Mutant("prune_sessions", "ended_at is not null and ", ""),
    Mutant("erase_attempts", "job_id = :job_id", "job_id <> :job_id"),
    Mutant("retry_ready", "d.epoch, 0, 0, 0, 0", "0, 0, 0, 0, 0"),
    Mutant("cancel_unique", "where job_id = :job_id", "where false"),
    # ── the statements of PostgreSQL
    _postgres("part_settle", "and r.epoch = m.epoch", ""),
    _postgres("part_settle", "r.session_id is not distinct from m.id", "true"),
    _postgres("part_me", "and s.ended_at is null", "and true"),
    _postgres("part_claim", "where me.live and", "where"),
    _postgres("part_claim", "r.epoch + 1 as epoch", "r.epoch as epoch"),
    _postgres("part_claim", "order by r.seq", "order by r.seq desc"),
    _postgres("part_claim", "n.value <> all(:offer_texts)", "n.value = any(:offer_texts)"),
    _postgres("part_claim", "q.resume_at > me.now", "q.resume_at >= me.now"),
    _postgres("part_unique", "where k.job_id = g.job_id", "where k.job_id = g.job_id and false"),
    _postgres("part_fresh", "where not exists (select 1 from closed)", ""),
    _postgres("part_due", "d.run_at > d.created_at", "d.run_at >= d.created_at"),
    _postgres("turn_flagged", "r.session_id is not distinct from :session_id", ":session_id is not null"),
    _postgres("turn_flagged", "r.epoch = e.epoch", "e.epoch is not null"),
    _postgres("part_settle", " and r.flags & ~65 = 0", ""),
    _postgres("promote_due", "order by run_at, job_id", "order by job_id"),
)

RACES = ("tests/store/interleavings",)

GATES = ("tests/store/contract/test_gates.py", "tests/job/test_gates.py")

LIMITS = (
    Mutant("relet.job.gates", "and self.slots < limit", "and self.slots <= limit", suites=GATES),
    Mutant("relet.job.gates", "first = self.head is None and", "first = True or", suites=GATES),
    Mutant("relet.store.gates", "now if at is None else at", "0 if at is None else at", suites=GATES),
    Mutant("gate_wake", "update relet.gate set next_at = relet.now_us()", "update relet.gate set next_at = next_at"),
    Mutant(
        "slot_free",
        "delete from relet.slot where job_id = :job_id",
        "delete from relet.slot where job_id = :job_id and false",
    ),
    Mutant("promote_special", "d.flags & 68 <> 0", "d.flags & 64 <> 0"),
)

LOCKS = (
    Mutant("session_hold", "for key share", "", "postgres", RACES),
    Mutant("part_me", "for key share", "", "postgres", RACES),
    Mutant("settle_lock", "for update", "", "postgres", RACES),
    Mutant("reclaim_hold", "for update", "", "postgres", RACES),
    Mutant("reclaim_lock", "for update", "", "postgres", RACES),
    Mutant("replace_finished_ready", "for update", "", "postgres", RACES),
    Mutant("lock_running", "for update", "", "postgres", RACES),
    Mutant("lock_ready", "for update", "", "postgres", RACES),
    Mutant("dead_hold", "for update", "", "postgres", RACES),
    Mutant("part_claim", "for update skip locked", "", "postgres", ("tests/store/steering",)),
)
"""Only races show these."""

WORKERS = (
    _worker(
        "clerk", "return self.terms.slots - len(self.held) - self._ghosts", "return self.terms.slots - len(self.held)"
    ),
    _worker("clerk", "self._ended.extendleft(reversed(turn.settles))", "pass"),
    _worker("clerk", "self._late.setdefault(self.session_id, deque()).extend(self._ended)", "pass"),
    _worker("clerk", "if session_id != self.session_id or self.stopping:", "if session_id != self.session_id:"),
    _worker("clerk", "if self.stopping or self._doubt or room <= 0:", "if self._doubt or room <= 0:"),
    _worker("clerk", "self._ghost_looks, self._look_at = 2, now", "self._ghost_looks, self._look_at = 0, None"),
    _worker("keeper", "if not answer.live or now >= self.deadline:", "if not answer.live:"),
    _worker("keeper", "if self.live and (self._over or now >= self.deadline):", "if self.live and self._over:"),
    _worker("keeper", "sent_at + self.lease_us - self._terms.margin_us", "sent_at + 2 * self.lease_us"),
    _worker("keeper", "return self.live and now - self.accepted_at <= self.lease_us // 2", "return True"),
    _worker("keeper", "if key not in stands", "if key in stands"),
    _worker("lanes", "reverse=lowest_first", "reverse=False"),
)

ALL = (*FIRST, *STATEMENTS, *LIMITS, *LOCKS, *WORKERS)
