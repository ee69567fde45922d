"""`relet version`."""

from __future__ import annotations

import platform
import sys
from argparse import Namespace
from importlib.metadata import PackageNotFoundError, version

from relet import __version__
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags


def configure(parser: Parser) -> None:
    parser.runs(run)
    add_output_flags(parser)


def run(_args: Namespace, out: Output) -> int:
    found = {
        "relet": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: _version(name) for name in ("apsw", "psycopg", "msgspec", "uvloop")},
    }
    out.record(found, lambda: [f"relet {__version__} on Python {sys.version_info.major}.{sys.version_info.minor}"])
    return Exit.OK


def _version(name: str) -> str | None:
    """Of an installed package, without importing it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
