"""The ledger stands for the outside world: it does not know of the store, and keeps everything.

Each process appends lines to a file, each line by one system call, so that neither a kill nor another process tears it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PLACE = "RELET_SOAK_LEDGERS"
"""The directory, for processes that were not told otherwise."""


def write(name: str, **facts: Any) -> None:
    """One line into the ledger of this name."""
    line = json.dumps({"at": time.time_ns() // 1000, "pid": os.getpid(), **facts}) + "\n"
    file = os.open(Path(os.environ[PLACE]) / f"{name}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def read(place: Path, name: str) -> Iterator[dict[str, Any]]:
    """All lines of it."""
    file = place / f"{name}.jsonl"
    if file.exists():
        for line in file.read_text().splitlines():
            yield json.loads(line)
