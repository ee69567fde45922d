"""`relet queues`: list, pause, resume, drain, limit, share and purge queues."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from shlex import quote

from relet.cli.choose import operator
from relet.cli.confirm import confirm
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_change_flags, add_output_flags, add_store_flags, near
from relet.cli.table import Column
from relet.cli.target import opened
from relet.errors import NotFound, UsageError
from relet.job.breaker import queue_breaker
from relet.job.duration import to_us
from relet.job.limits import Rule
from relet.job.names import queue_name
from relet.job.shares import tenant_of, weight_of
from relet.kept import KEPT, Kept, rule_and_kept
from relet.overview import open_breakers
from relet.shapes import records
from relet.shapes.schema import BreakerOut, QueueOut
from relet.shapes.words import ago, plural
from relet.store.port import Store
from relet.store.rows import QueueRow

CAP = 100_000
PURGED_AT_ONCE = 1_000


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    ls = verbs.add("ls", "list queues with their counts").runs(run_ls)
    pause = verbs.add("pause", "no new runs from these queues; what runs goes on").runs(run_pause)
    pause.add_argument("--for", dest="span", metavar="DURATION", help="resume by itself after this time")
    resume = verbs.add("resume", "end a pause, and take new jobs again after a drain").runs(run_resume)
    drain = verbs.add("drain", "refuse new jobs, work off those that are there").runs(run_drain)
    purge = verbs.add("purge", "cancel all jobs that wait in these queues; running ones go on").runs(run_purge)
    for verb in (pause, drain):
        verb.add_argument("--reason", default="", help="said to whoever asks why jobs do not run")
    for verb in (pause, resume, drain, purge):
        verb.add_argument("queues", nargs="+", metavar="QUEUE", help="name of a queue")
    add_change_flags(purge)
    limit = verbs.add("limit", "hold queues to so many jobs at once, and so many starts in a time").runs(run_limit)
    limit.add_argument("--concurrency", metavar="N", help="jobs that run at once, in all workers together")
    limit.add_argument("--rate", metavar="RATE", help='jobs that start in a time: "50/min", "10/s;20000/day"')
    limit.add_argument("--per-worker", metavar="N", help="jobs that run at once in each worker")
    unlimit = verbs.add("unlimit", "end the limits of queues").runs(run_unlimit)
    unlimit.add_argument(
        "--forget", action="store_true", help="a limit that code declares counts again when a worker starts"
    )
    for verb in (limit, unlimit):
        verb.add_argument("queues", nargs="+", metavar="QUEUE", help="name of a queue")
    shares = verbs.add("shares", "list the tenants of a queue with their weights and ready jobs").runs(run_shares)
    share = verbs.add("share", "let a tenant start so many jobs of a queue while others start one").runs(run_share)
    unshare = verbs.add("unshare", "forget the weight of a tenant: it is 1, or what code declares").runs(run_unshare)
    for verb in (shares, share, unshare):
        verb.add_argument("queue", metavar="QUEUE", help="name of the queue")
    for verb in (share, unshare):
        verb.add_argument("tenant", metavar="TENANT", help='as fair_by says; "" for jobs that name none')
    share.add_argument("weight", metavar="WEIGHT", help="1 to 1000; all have 1 at first")
    for verb in (ls, pause, resume, drain, purge, limit, unlimit, shares, share, unshare):
        add_store_flags(verb)
        add_output_flags(verb)


def run_ls(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        found = [records.queue_out(row) for row in store.insights.queues(CAP)]
        breakers = open_breakers(store, now)
    empty = "no queue has live or dead jobs, or a setting"
    out.records("queues", found, columns(now, breakers), empty, capped_at=CAP, breakers=breakers)
    if breakers:
        named = ", ".join(f"{breaker['name']} ({breaker['state']})" for breaker in breakers)
        out.say(f"circuit breakers that are not closed: {named}; see them: relet breakers ls")
    return Exit.OK


def columns(now: int, breakers: Iterable[BreakerOut] = ()) -> list[Column]:
    """Columns of a table of queues. `breakers` are those that are not closed."""
    return [
        Column("queue", lambda queue: queue["name"], flexible=True),
        Column("state", lambda queue: queue["state"]),
        Column("ready", lambda queue: capped(queue["ready"]), right=True),
        Column("running", lambda queue: capped(queue["running"]), right=True),
        Column("scheduled", lambda queue: capped(queue["scheduled"]), right=True),
        Column("dead", lambda queue: capped(queue["dead"]), right=True),
        Column("oldest ready", lambda queue: ago(queue["oldest_ready_at"], now), right=True),
        Column("limit", lambda queue: queue["limit_use"] or "", flexible=True, spare=True),
        Column(
            "note", _note(now, {breaker["name"]: breaker["state"] for breaker in breakers}), flexible=True, spare=True
        ),
    ]


def capped(count: int) -> str:
    """A count for people; at its cap it says so."""
    return f"{CAP:,}+" if count >= CAP else f"{count:,}"


def _note(now: int, breakers: Mapping[str, str]) -> Callable[[QueueOut], str]:
    def note(queue: QueueOut) -> str:
        breaker = breakers.get(queue_breaker(queue["name"]))
        held = f"breaker {breaker}" if breaker else ""
        return ", ".join(filter(None, (held, paused(queue))))

    def paused(queue: QueueOut) -> str:
        if queue["state"] != "paused":
            return ""
        until = f", resumes {ago(queue['paused_until'], now)}" if queue["paused_until"] else ""
        reason = f": {queue['pause_reason']}" if queue["pause_reason"] else ""
        return f"by {queue['paused_by']}{reason}{until}"

    return note


def run_pause(args: Namespace, out: Output) -> int:
    span_us = None if args.span is None else to_us(args.span, name="--for")

    def pause(store: Store, queue: str) -> None:
        store.pause_queue(queue, operator(), args.reason, None if span_us is None else store.now() + span_us)

    return _each(args, out, "paused", pause)


def run_resume(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        _known(store, args.queues)
        idle = [queue for queue in args.queues if not store.resume_queue(queue)]
        found = _states(store, args.queues)
    out.records("queues", found, _state_columns())
    resumed = len(args.queues) - len(idle)
    out.say(f"resumed {plural(resumed, 'queue')}" if resumed else "nothing to resume")
    for queue in idle:
        out.say(f"queue {queue} was neither paused nor draining")
    return Exit.OK


def run_drain(args: Namespace, out: Output) -> int:
    return _each(args, out, "draining", lambda store, queue: store.close_queue(queue, operator(), args.reason))


def _each(
    args: Namespace, out: Output, verbed: str, act: Callable[[Store, str], object], back: str | None = "resume"
) -> int:
    """Do it to each queue. One that nobody has used yet may be paused or closed in advance, but that is said, and which verb
    takes it back."""
    names = [queue_name(queue) for queue in args.queues]
    with opened(args, out) as store:
        known = _in_use(store)
        for queue in names:
            act(store, queue)
        found = _states(store, names)
    out.records("queues", found, _state_columns())
    out.say(f"{verbed} {plural(len(names), 'queue')}")
    for queue in names:
        _say_unknown(out, queue, known, back and f"{back} {quote(queue)}")
    return Exit.OK


def _say_unknown(out: Output, queue: str, known: set[str], back: str | None) -> None:
    if queue not in known:
        out.say(f"queue {queue} has no live job, and no worker names it{_slip(near(queue, known), back)}")


def _slip(hint: str | None, back: str | None) -> str:
    meant = f"did you mean {hint}?" if hint else ""
    if back is None:
        return f"; {meant}" if meant else ""
    return f"; {meant + ' To take it back' if meant else 'if that is a mistake'}: relet queues {back}"


def _in_use(store: Store) -> set[str]:
    """Queues that have jobs or a setting, or are named by a worker that lives."""
    named = {name for row in store.insights.sessions() for name in records.worker_out(row)["queues"]}
    return {row.name for row in store.insights.queues(1)} | named - {"*"}


def run_limit(args: Namespace, out: Output) -> int:
    """What is not given stays as it is; "none" takes it away. With nothing given, it says how things are."""
    given = {"concurrency": args.concurrency, "rate": args.rate, "per_worker": args.per_worker}
    rule, keep = rule_and_kept(**{name: limit_value(name, text) for name, text in given.items()})
    if any(text is not None for text in given.values()):
        return _each(
            args, out, "limited", lambda store, queue: store.limit_queue(queue, rule, operator(), keep), "unlimit"
        )
    with opened(args, out) as store:
        found = _states(store, [queue_name(queue) for queue in args.queues])
    out.records("queues", found, _state_columns())
    return Exit.OK


def limit_value(name: str, text: str | None) -> int | str | Kept | None:
    """What a flag of a limit says; "none" is None. Raises UsageError."""
    if text is None:
        return KEPT
    if text == "none":
        return None
    if name == "rate":
        return text
    if not text.isdecimal() or len(text) > 10:
        raise UsageError(f"--{name.replace('_', '-')}: {text!r} is neither a number nor none.")
    return int(text)


def run_unlimit(args: Namespace, out: Output) -> int:
    if args.forget:
        status = _each(args, out, "forgot the limits of", lambda store, queue: store.forget_queue_limit(queue), None)
        out.say("none holds until a worker starts whose code or settings declare one")
        return status
    return _each(args, out, "unlimited", lambda store, queue: store.limit_queue(queue, Rule(), operator()), None)


def run_shares(args: Namespace, out: Output) -> int:
    queue = queue_name(args.queue)
    with opened(args, out) as store:
        now = store.now()
        found = [records.share_out(queue, row) for row in store.insights.shares(queue, CAP)]
    out.records("shares", found, _share_columns(now), f"queue {queue} has no tenants", capped_at=CAP)
    return Exit.OK


def run_share(args: Namespace, out: Output) -> int:
    queue, tenant = queue_name(args.queue), tenant_of(args.tenant)
    weight = weight_of(int(args.weight) if args.weight.isdecimal() and len(args.weight) < 10 else args.weight)
    with opened(args, out) as store:
        known = _in_use(store)
        store.set_weight(queue, tenant, weight, operator())
        now = store.now()
        found = [records.share_out(queue, row) for row in store.insights.shares(queue, CAP) if row.tenant == tenant]
    out.records("shares", found, _share_columns(now), capped_at=CAP)
    out.say(f"{_tenant(tenant)} of queue {queue} has weight {weight}, for jobs that become ready from now on")
    _say_unknown(out, queue, known, f"unshare {quote(queue)} {quote(tenant)}")
    return Exit.OK


def run_unshare(args: Namespace, out: Output) -> int:
    queue, tenant = queue_name(args.queue), tenant_of(args.tenant)
    with opened(args, out) as store:
        if not store.forget_weight(queue, tenant):
            raise NotFound(
                f"{_tenant(tenant)} of queue {queue} has no weight of its own: it is 1. Nothing was changed."
            )
    out.say(f"{_tenant(tenant)} of queue {queue} has weight 1, until a worker whose code declares another starts")
    return Exit.OK


def _tenant(tenant: str) -> str:
    return f"tenant {tenant}" if tenant else "the tenant of jobs that name none"


def _share_columns(now: int) -> list[Column]:
    return [
        Column("tenant", lambda share: share["tenant"] or "(none)", flexible=True),
        Column("weight", lambda share: f"{share['weight']:,}", right=True),
        Column("ready", lambda share: capped(share["ready"]), right=True),
        Column("oldest ready", lambda share: ago(share["oldest_ready_at"], now), right=True),
    ]


def run_purge(args: Namespace, out: Output) -> int:
    purged = 0
    with opened(args, out) as store:
        rows = _known(store, args.queues)
        count = sum(row.ready + row.scheduled + row.waiting for row in rows)
        what = f"{plural(count, 'job')} of {', '.join(row.name for row in rows)}"
        if (count or args.dry_run) and not confirm(args, out, "purge", what, count):
            shown = _states(store, args.queues)
            out.records("queues", shown, _state_columns(), purged=0, dry_run=True)
            return Exit.OK
        for row in rows:
            while some := store.purge_queue(row.name, operator(), PURGED_AT_ONCE):
                purged += some
        found = _states(store, args.queues)
    out.records("queues", found, _state_columns(), purged=purged)
    out.say(f"purged {plural(purged, 'job')}")
    return Exit.OK


def _known(store: Store, names: list[str]) -> list[QueueRow]:
    rows = {row.name: row for row in store.insights.queues(CAP)}
    for name in names:
        if name not in rows:
            hint = near(name, rows)
            raise NotFound(
                f"There is no queue {name!r} with live or dead jobs, or a setting."
                + (f" Did you mean {hint}?" if hint else "")
            )
    return [rows[name] for name in names]


def _states(store: Store, names: list[str]) -> list[QueueOut]:
    return [records.queue_out(row) for row in store.insights.queues(CAP) if row.name in names]


def _state_columns() -> list[Column]:
    return [
        Column("queue", lambda queue: queue["name"], flexible=True),
        Column("state", lambda queue: queue["state"]),
        Column("ready", lambda queue: capped(queue["ready"]), right=True),
        Column("running", lambda queue: capped(queue["running"]), right=True),
        Column("limit", lambda queue: queue["limit_use"] or "", flexible=True, spare=True),
    ]
