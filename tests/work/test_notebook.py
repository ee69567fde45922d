"""What jobs say waits in a notebook until a turn takes it along."""

from relet.store.records import LogLine, Notes, Progress, Usage
from relet.work.notebook import Notebook, key_of

JOB = bytes(16)


def line(n: int, job: bytes = JOB) -> LogLine:
    return LogLine(job, 1, n, 0, "info", f"line {n}", None)


def test_lines_that_were_committed_elsewhere_are_not_sent_again() -> None:
    notebook, used = Notebook(), Usage(JOB, 1, 0, "pages", "3", "", None)
    for note in (Progress(JOB, 1, 50.0, "half"), line(0), line(1), used):
        notebook.write(note, 5)
    notebook.forget({key_of(line(0)), key_of(used)})
    assert notebook.take() == Notes([], [line(1)], [])


def test_notebook_that_has_forgotten_everything_waits_for_no_turn() -> None:
    notebook = Notebook()
    notebook.write(line(0), 5)
    notebook.forget({key_of(line(0))})
    assert (notebook.since, notebook.due(10**9, 1)) == (None, False)


def test_lines_of_other_runs_stay() -> None:
    notebook, other = Notebook(), line(0, bytes(15) + b"x")
    for note in (line(0), other):
        notebook.write(note, 5)
    notebook.forget({key_of(line(0))})
    assert notebook.take().logs == [other]
