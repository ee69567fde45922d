"""How it stands, on one page: is all well, what is held, what just happened."""

from __future__ import annotations

from collections.abc import Sequence

from relet.health import health_of
from relet.job.figures import Figure
from relet.overview import gather as status_of
from relet.shapes.health import health_out
from relet.shapes.schema import StatusOut
from relet.shapes.words import ago, at_of, plural
from relet.store.port import Store
from relet.web.pages.figures import Kpi, charts, depths, failures, last_hour, rate, wait
from relet.web.pages.latest import latest
from relet.web.pages.leases import bars
from relet.web.pages.page import Facts, Look, Page
from relet.web.pages.queues import slots_for
from relet.web.words import CAP
from relet.web.words import count as capped

LEASES = 12


def gather(look: Look) -> Facts:
    """Its facts."""
    status = status_of(look.call.store, CAP)
    workers = status["workers"]
    health = health_out(health_of(look.call.store, look.call.app.settings.health_rules))
    minutes = last_hour(look.call.store, at_of(status["now"]))
    leases = look.read("leases.list", limit=LEASES)["leases"]
    return {
        "status": status,
        "sentence": sentence(status),
        "health": health,
        "ill": [queue for queue in health["queues"] if not queue["healthy"]],
        "bars": bars(leases, workers, status["now"]),
        "held": status["counts"]["running"],
        "slots": {queue["name"]: slots_for(workers, queue["name"]) for queue in status["queues"]},
        "kpis": kpis(look.call.store, status, minutes),
        "charts": charts(minutes),
        "events": latest(look),
    }


def sentence(status: StatusOut) -> str:
    """How it stands, in one sentence."""
    live = [worker for worker in status["workers"] if worker["state"] == "live"]
    slots, counts = sum(worker["slots"] for worker in live), status["counts"]
    if not live:
        return "No worker is running."
    if not any(counts[state] for state in ("ready", "running", "scheduled", "waiting")):
        return f"Nothing waits and nothing runs. {plural(len(live), 'worker')} with {plural(slots, 'slot')} would start at once."
    return f"{plural(len(live), 'worker')}: {counts['running']:,} of {plural(slots, 'slot')} in use."


def kpis(store: Store, status: StatusOut, minutes: Sequence[Figure]) -> list[Kpi]:
    """What is counted now, and what was in the last hour."""
    counts, now = status["counts"], at_of(status["now"])
    slots = sum(worker["slots"] for worker in status["workers"] if worker["state"] == "live")
    oldest = min((queue["oldest_ready_at"] for queue in status["queues"] if queue["oldest_ready_at"]), default=None)
    waits = f"oldest {ago(oldest, now)}" if oldest else "nothing waits"
    dead = sum(queue["dead"] for queue in status["queues"])
    of = {name: depths(store, now, name) for name in ("running", "ready", "dead")}
    return [
        rate(minutes),
        Kpi("Running", capped(counts["running"]), f"of {plural(slots, 'slot')}", "/workers", "running", of["running"]),
        Kpi("Ready", capped(counts["ready"]), waits, "/jobs?q=state:ready", "ready", of["ready"]),
        wait(minutes),
        failures(minutes),
        Kpi("Dead letters", capped(dead), "not resolved", "/dead", "dead", of["dead"]),
    ]


PAGES = (
    Page(
        "overview",
        "",
        "Overview",
        "status.show",
        gather,
        key="o",
        live=("health", "kpis", "charts", "leases", "feed", "queues"),
    ),
)
