"""The command line. `main` is the program `relet`; every command is one module, imported when it is used."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: see `relet.cli.exits`. Never raises but for a bug."""
    from relet.cli.program import run

    return run(argv)
