"""What `doctor` looks at in the App, when one is named: that it can be imported, and that its runs have an end."""

from __future__ import annotations

from relet.cli.exits import Problem
from relet.cli.findings import Findings, bad, note, ok
from relet.cli.lookup import find_app
from relet.settings import Settings
from relet.shapes.words import plural

NAMED = 5


def check_app(settings: Settings) -> Findings:
    """Nothing is imported unless somebody named the App: what is auto-detected may be another program."""
    if not settings.app:
        return
    try:
        found = find_app(settings)
    except Problem as problem:
        yield bad("app", problem.lines[0], problem.lines[-1].removeprefix("Next: "))
        return
    tasks = found.app.tasks
    yield ok("app", f"{found.place} ({found.rule}): {plural(len(tasks), 'task')}")
    endless = sorted(name for name, task in tasks.items() if task.spec.timeout_us is None)
    if endless:
        names = ", ".join(endless[:NAMED]) + (f" and {len(endless) - NAMED} more" if len(endless) > NAMED else "")
        yield note("timeouts", f"{plural(len(endless), 'task')} may run for ever: {names}", '@app.task(timeout="5m")')
