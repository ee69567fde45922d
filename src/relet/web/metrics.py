"""`/metrics`: what Prometheus asks for, in its text format or in that of OpenMetrics.

Counters are what workers have added up in the store, so that they go on when a process ends, whoever is asked. No label is of a
job; each is a name that code or people have given: queues, tasks, workers, breakers, models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from relet import __version__
from relet.clock import DAY, SECOND
from relet.job.breaker import State
from relet.job.costs import decimal_of
from relet.job.figures import BOUNDS_US, Came, Times
from relet.job.health import Rules
from relet.job.webhook import TASK
from relet.store.cost_rows import CostFilter
from relet.store.measures import FigureSum
from relet.store.port import Store
from relet.store.rows import BreakerRow, QueueRow, SessionRow
from relet.web import perform
from relet.web.auth import Auth
from relet.web.desk import Desk
from relet.web.endpoints import BY_NAME
from relet.web.problem import unauthorized

EVENTS = {
    "relet_claims": ("job.claimed", "Jobs that were let to workers."),
    "relet_lease_renewals": ("lease.renewed", "Leases that were renewed."),
    "relet_leases_lost": ("session.lost", "Workers that lost their lease, or could not renew it in time."),
    "relet_reclaims": ("session.reclaimed", "Workers that were found gone, whose jobs were given back."),
    "relet_fenced_writes": ("job.fenced", "Ends of runs that came late, for the job had been let to another worker."),
    "relet_ratelimit_delayed": ("limit.delayed", "Times that a worker found the rate of a queue used up."),
}
"""Counters of events, by name."""


STATES = (State.CLOSED, State.HALF_OPEN, State.OPEN)
"""0, 1 and 2, for a gauge."""


def exposition(store: Store, rules: Rules, accept: str = "") -> tuple[bytes, str]:
    """(text, content type) for whoever accepts this."""
    encode, kind = choose_encoder(accept)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(list(metrics(store, rules))))
    return encode(registry), kind


class _Snapshot(Collector):
    """Metrics that were read before."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def metrics(store: Store, rules: Rules) -> Iterator[Metric]:
    """All of them, in a few bounded reads."""
    insights, now = store.insights, store.now()
    sums = insights.figure_sums()
    yield from _of_runs(sums)
    yield from _of_events(insights.event_counts())
    yield from _of_queues(insights.queues(), now)
    yield from _of_workers(insights.sessions())
    yield from _of_breakers(insights.breakers(), now)
    yield from _of_health(store, rules)
    yield from _of_webhooks(sums)
    yield from _of_models(store, now)
    info = GaugeMetricFamily("relet_build_info", "The version of the server that says so.", labels=["version"])
    info.add_metric([__version__], 1)
    yield info


# ── what runs came to ─────────────────────────────────────────────────────────────────────────────────────────────────
def _of_runs(sums: Iterable[FigureSum]) -> Iterator[Metric]:
    jobs = CounterMetricFamily("relet_jobs", "Runs that have ended.", labels=["queue", "task", "outcome"])
    wait = HistogramMetricFamily(
        "relet_job_wait_seconds", "How long jobs were ready before they were claimed.", labels=["queue", "task"]
    )
    run = HistogramMetricFamily("relet_job_run_seconds", "How long runs took.", labels=["queue", "task"])
    for one in sums:
        for came in Came:
            jobs.add_metric([one.queue, one.task, came.value], one.figure.of(came))
        for family, times in ((wait, one.figure.wait), (run, one.figure.run)):
            family.add_metric([one.queue, one.task], _buckets(times), times.total_us / SECOND)
    yield from (jobs, wait, run)


def _buckets(times: Times) -> list[tuple[str, float]]:
    """Upper bounds in seconds, with how many took so long at most."""
    upto, found = 0, list[tuple[str, float]]()
    for bound, count in zip([*(f"{us / SECOND}" for us in BOUNDS_US), "+Inf"], times.buckets, strict=True):
        upto += count
        found.append((bound, upto))
    return found


def _of_events(counts: dict[str, int]) -> Iterator[Metric]:
    for name, (event, sentence) in EVENTS.items():
        yield CounterMetricFamily(name, sentence, value=counts.get(event, 0))


def _of_webhooks(sums: Iterable[FigureSum]) -> Iterator[Metric]:
    family = CounterMetricFamily(
        "relet_webhook_deliveries", "Attempts to deliver webhooks that have ended.", labels=["outcome"]
    )
    total: Counter[Came] = Counter()
    for one in sums:
        if one.task == TASK:
            total.update({came: one.figure.of(came) for came in Came})
    for came, count in total.items():
        family.add_metric([came.value], count)
    yield family


def _of_models(store: Store, now: int) -> Iterator[Metric]:
    """Of today, in UTC: a counter that begins anew each day, as when a process is started again."""
    wanted = CostFilter(DAY, now // DAY * DAY, now + 1, by=("model", "kind"))
    tokens = CounterMetricFamily(
        "relet_llm_tokens", "Tokens of language models, since midnight UTC.", labels=["model", "kind"]
    )
    dollars = CounterMetricFamily(
        "relet_llm_cost_dollars", "What language models have cost, since midnight UTC.", labels=["model"]
    )
    cost: Counter[str] = Counter()
    for row in store.insights.spent(wanted):
        if row.unit == "tokens":
            tokens.add_metric([row.model, row.kind.removesuffix("_tokens")], float(decimal_of(row.total)))
        elif row.unit == "USD" and row.model:
            cost[row.model] += row.total
    for model, total in cost.items():
        dollars.add_metric([model], float(decimal_of(total)))
    yield from (tokens, dollars)


# ── how it stands ─────────────────────────────────────────────────────────────────────────────────────────────────────
def _of_queues(rows: Iterable[QueueRow], now: int) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("relet_queue_jobs", "Jobs, up to 100,000 of a state.", labels=["queue", "state"])
    oldest = GaugeMetricFamily(
        "relet_queue_oldest_seconds", "How long the oldest ready job has been ready.", labels=["queue"]
    )
    dead = GaugeMetricFamily("relet_dead_jobs", "Unresolved dead letters, up to 100,000.", labels=["queue"])
    paused = GaugeMetricFamily("relet_queue_paused", "1 if a queue starts nothing.", labels=["queue"])
    for row in rows:
        for state in ("ready", "running", "scheduled", "waiting"):
            jobs.add_metric([row.name, state], getattr(row, state))
        oldest.add_metric([row.name], 0 if row.oldest_ready_at is None else max(0, now - row.oldest_ready_at) / SECOND)
        dead.add_metric([row.name], row.dead)
        paused.add_metric([row.name], int(row.paused_at is not None))
    yield from (jobs, oldest, dead, paused)


def _of_workers(rows: Iterable[SessionRow]) -> Iterator[Metric]:
    workers = GaugeMetricFamily("relet_workers", "Workers that have not ended.", labels=["state"])
    slots = GaugeMetricFamily("relet_slots", "Jobs that a live worker runs at once at most.", labels=["worker"])
    busy = GaugeMetricFamily("relet_slots_busy", "Jobs that it runs now.", labels=["worker"])
    found: Counter[str] = Counter({"live": 0, "draining": 0, "lapsed": 0})
    of_worker: dict[str, list[int]] = {}
    for row in rows:
        found["lapsed" if not row.live else "draining" if row.verb else "live"] += 1
        if row.live:  # two processes may have one name
            counts = of_worker.setdefault(row.worker, [0, 0])
            counts[0] += row.slots
            counts[1] += row.held
    for state, count in found.items():
        workers.add_metric([state], count)
    for worker, (most, held) in of_worker.items():
        slots.add_metric([worker], most)
        busy.add_metric([worker], held)
    yield from (workers, slots, busy)


def _of_breakers(rows: Iterable[BreakerRow], now: int) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "relet_breaker_state", "0: closed, 1: half-open, 2: open and lets nothing pass.", labels=["name"]
    )
    for row in rows:
        states.add_metric([row.name], STATES.index(row.status.state(now)))
    yield states


def _of_health(store: Store, rules: Rules) -> Iterator[Metric]:
    report = store.insights.health_report(rules, cap=0)
    queues = GaugeMetricFamily("relet_queue_healthy", "1 if a queue is healthy.", labels=["queue"])
    for one in report.queues:
        queues.add_metric([one.name], int(one.health.standing.healthy))
    yield GaugeMetricFamily("relet_healthy", "1 if all is healthy.", value=int(report.verdict.healthy))
    yield queues


# ── over HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def routes(desk: Desk, auth: Auth) -> list[Route]:
    """For whoever may see how it stands."""

    async def scraped(request: Request) -> Response:
        visitor = await auth.visitor(request)
        if visitor is None:
            raise unauthorized("Send a token: `Authorization: Bearer relet_…`.")
        perform.check(BY_NAME["status.show"], visitor)
        accept, rules = request.headers.get("accept", ""), desk.app.settings.health_rules
        text, kind = await desk.run(lambda store: exposition(store, rules, accept))
        return Response(text, headers={"content-type": kind})

    return [Route("/metrics", scraped)]
