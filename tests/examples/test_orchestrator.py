"""The example of three routines: its proof can fail, its figures are those of this Python, and it runs to its end."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import distribution
from pathlib import Path
from uuid import uuid4

import msgspec

from examples.orchestrator.ledger import Run
from examples.orchestrator.packages import Package, installed
from examples.orchestrator.proof import met, unfounded
from examples.orchestrator.report import Report, page, report_on
from relet.routines import FiringInfo

ROOT = Path(__file__).parents[2]
START = datetime(2026, 1, 1, tzinfo=UTC)


def run(began: float, ended: float) -> Run:
    return Run("cleanup", 1, began, ended, "", False)


def firing(fired: int, ended: int, outcome: str = "succeeded") -> FiringInfo:
    at = START + timedelta(seconds=fired)
    return FiringInfo(at, uuid4(), "due", at, START + timedelta(seconds=ended), outcome)


def test_runs_that_met_are_noticed_and_those_that_followed_each_other_are_not() -> None:
    cleanup = run(2, 3)
    assert met([cleanup], [run(0, 2), run(3, 4)]) == []
    assert met([cleanup], [run(0, 2.1)])
    assert met([cleanup], [run(2.9, 4)])
    assert met([cleanup], [run(1, 4)])
    assert met([cleanup], [run(2.4, 2.6)])


def test_a_run_without_a_new_success_of_what_it_depends_on_is_noticed() -> None:
    first, second = firing(10, 11), firing(20, 21)
    assert unfounded([second, first], [firing(5, 6), firing(12, 15)]) == []
    assert unfounded([second, first], [firing(5, 6)]) == [second]
    assert unfounded([second, first], [firing(12, 15, "dead")]) == [second]
    assert unfounded([second, first], [firing(19, 25)]) == [second]


def test_the_index_has_what_this_python_has() -> None:
    found = next(package for package in installed() if package.name == "msgspec")
    files = [Path(str(file.locate())) for file in distribution("msgspec").files or ()]
    assert found.version == distribution("msgspec").version
    assert found.size == sum(path.stat().st_size for path in files if path.is_file()) > 0


def test_the_report_sums_up_and_shows_names_as_text() -> None:
    packages = [Package("<small>", "1", 2, 1_000, ("large", "gone")), Package("large", "2", 3, 5_000_000, ())]
    report = report_on(packages, "now", budget=2_000_000)
    assert (report.files, report.size, report.over_budget) == (5, 5_001_000, ("large",))
    assert (report.required_most, report.not_installed) == ((("large", 1), ("gone", 1)), ("gone",))
    assert [package.name for package in report.packages] == ["large", "<small>"]
    assert "&lt;small&gt;" in page(report)
    assert "<small>" not in page(report)


def test_it_runs_by_itself_proves_what_it_says_and_leaves_the_report(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "examples.orchestrator", "--folder", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("HOLDS") == 3
    assert ran.stdout.count("process-data is disabled") == 2
    report = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=Report)
    assert {package.name for package in report.packages} == {package.name for package in installed()}
    assert "<h1>Installed packages</h1>" in (tmp_path / "report.html").read_text()
