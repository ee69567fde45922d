"""Which workers could take over a continuous routine."""

from __future__ import annotations

from relet.job.schedule import Schedule
from relet.store.port import Store
from relet.store.rows import ScheduleRow, SessionRow
from relet.store.standing import live_worker


def standing_by(store: Store, row: ScheduleRow) -> int | None:
    """How many live workers run none of it, and could take it over as it is: they know its task, serve its queue, offer what it
    needs, have a free slot, and are not about to go. None: it asks for none to stand by."""
    if not row.definition.standby:
        return None
    insights = store.insights
    jobs = [insights.job(job_id) for job_id in row.live]
    holders = {job.session_id for job in jobs if job is not None}
    return sum(1 for session in insights.sessions() if session.id not in holders and could_run(session, row.definition))


def could_run(session: SessionRow, schedule: Schedule) -> bool:
    """Whether this worker could run it, as far as its last renewal tells."""
    able = live_worker(session).can_run(schedule.task, schedule.queue, schedule.needs)
    return session.live and not session.verb and able and session.busy < session.slots
