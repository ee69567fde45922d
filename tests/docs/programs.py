"""Runs the programs of the documentation, each in a process and a directory of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT, Program

SECONDS = 60
SOURCE = ROOT / "src"
"""The package beside these pages, also where another one is installed."""
PLAY = Path(__file__).with_name("play.py")


def run(program: Program, directory: Path, pg_url: str | None = None) -> None:
    """Run it. Fails with what it printed."""
    for block in program.files:
        file = directory / block.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text + "\n", "utf-8")
    if program.has("pytest"):
        (directory / "test_page.py").write_text(_as_file(program), "utf-8")
        command, said = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"], ""
    else:
        command, said = ["-W", "error:::relet", str(PLAY)], _as_json(program, pg_url)
    done = subprocess.run(
        [sys.executable, *command],
        input=said,
        cwd=directory,
        env=_environment(directory, pg_url),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{program.where}\n{done.stdout}\n{done.stderr}"


def _as_json(program: Program, pg_url: str | None) -> str:
    blocks = [
        {"page": str(block.page), "line": block.line, "text": block.text, "marks": sorted(block.marks)}
        for block in program.blocks
    ]
    return json.dumps({"blocks": blocks, "names": {"pg_url": pg_url} if pg_url else {}})


def _as_file(program: Program) -> str:
    """One module in which each block stands on the lines that it has in its page."""
    lines: list[str] = []
    for block in program.blocks:
        lines += [""] * (block.line - len(lines))
        lines += block.text.splitlines()
    return "\n".join(lines) + "\n"


def _environment(directory: Path, pg_url: str | None) -> dict[str, str]:
    """That of a reader: no settings but those of the page."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith(("RELET_", "PYTEST_", "WORKER_"))}
    mine["PYTHONPATH"] = os.pathsep.join((str(directory), str(SOURCE)))
    return mine | ({"RELET_URL": pg_url} if pg_url else {})
