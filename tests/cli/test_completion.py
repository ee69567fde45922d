"""The completion scripts that are shipped are those of the commands as they are."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from relet.cli.completion import SHELLS, generated, shipped
from tests.cli.conftest import Cli


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shipped_script_is_up_to_date(shell: str) -> None:
    assert shipped(shell) == generated(shell), "run: python -m relet.cli.completion"


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_prints_the_script(cli: Cli, shell: str) -> None:
    assert cli("completion", shell).out == shipped(shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_can_read_it(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([shell, "-n"], input=shipped(shell), text=True, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_says_at_its_top_how_to_install_it(shell: str) -> None:
    top = "\n".join(shipped(shell).splitlines()[:3])
    assert "For good:" in top or "for good:" in top
    assert f"relet completion {shell}" in top
    if shell == "zsh":
        assert top.startswith("#compdef relet")
