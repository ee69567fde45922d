"""`relet run --once`: a worker that works off what is ready, and then ends. For cron, and for a look at what a job does."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.worker import logging_to, quicken
from relet.clock import SECOND, Clock, SystemClock, pause
from relet.settings import Settings
from relet.shapes.words import plural
from relet.store.port import Store
from relet.work.worker import Worker

LOOK_US = SECOND // 20
STALLED_US = 2 * SECOND
"""Ready jobs that nobody starts for so long are not for this worker: an unknown task, a capability that it lacks, a pause."""


def run_once(args: Namespace, out: Output) -> int:
    """Status 1 if a job failed."""
    from relet.cli.lookup import find_app

    queues = ",".join(args.queues) if args.queues else None
    flags = {"url": args.url, "app": args.app, "slots": args.slots, "queues": queues}
    found = find_app(Settings.load(flags))
    app = found.app
    app.settings = app.settings.override(flags)
    out.say(f"App {found.place} ({found.rule}), store {app.settings.shown_url}")
    with logging_to(app.settings, out) as edge, closing(app.open_store()) as store:
        quicken(app)
        with app.worker(emit=edge) as worker:
            left = _work_off(worker, store, SystemClock())
    status = worker.status()
    done, failed = status.jobs_completed, status.jobs_failed
    out.record(
        {"completed": done, "failed": failed},
        lambda: [f"{plural(done, 'job')} completed, {plural(failed, 'run')} failed"],
    )
    if left:
        out.say("some ready jobs are not for this worker: relet status")
    app.close()
    return Exit.JOB_FAILED if failed else Exit.OK


def _work_off(worker: Worker, store: Store, clock: Clock) -> bool:
    """Until nothing is ready and nothing runs. True: something is ready that this worker does not take."""
    moved_at, seen = clock.steady(), 0
    while True:
        pause(LOOK_US)
        status = worker.status()
        finished = status.jobs_completed + status.jobs_failed
        if status.active_jobs or finished != seen or not status.holds_lease:
            moved_at, seen = clock.steady(), finished
            continue
        ready = bool(store.ranks(tuple(worker.settings.queues)))
        if not ready or clock.steady() - moved_at > STALLED_US:
            return ready
