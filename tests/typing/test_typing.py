"""Type checkers, both in strict mode, accept what is right and find every planted mistake."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def pyright(file: Path, _tmp_path: Path) -> set[int]:
    """The lines on which pyright finds an error; strict by the project's own configuration."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] >= 1
    errors = [one for one in found["generalDiagnostics"] if one["severity"] == "error"]
    assert all(Path(one["file"]) == file for one in errors), errors
    return {one["range"]["start"]["line"] + 1 for one in errors}


def mypy(file: Path, tmp_path: Path) -> set[int]:
    """The lines on which mypy finds an error."""
    command = [
        sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--show-column-numbers", "--no-color-output",
        "--explicit-package-bases", "--cache-dir", str(tmp_path), str(file),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode in (0, 1), done.stderr
    lines = [line for line in done.stdout.splitlines() if ": error:" in line]
    elsewhere = [line for line in lines if not line.startswith(str(file)) and file.name not in line]
    assert not elsewhere, elsewhere
    return {int(line.split(":")[1]) for line in lines}


CHECKERS = {"pyright": pyright, "mypy": mypy}


@pytest.mark.parametrize("checker", CHECKERS)
def test_what_users_write_is_accepted(checker: str, tmp_path: Path) -> None:
    assert CHECKERS[checker](HERE / "good.py", tmp_path) == set()


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_planted_mistake_is_found(checker: str, tmp_path: Path) -> None:
    lines = (HERE / "bad.py").read_text().splitlines()
    planted = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert len(planted) >= 20
    assert CHECKERS[checker](HERE / "bad.py", tmp_path) == planted
