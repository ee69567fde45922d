"""What the worker asks of its host."""

from __future__ import annotations

import os
from pathlib import Path


def host_name() -> str:
    """Its name, printable."""
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return name.encode("ascii", "replace").decode() or "unknown"


def rss_bytes() -> int:
    """Memory of this process that is in use; 0 where the host does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGESIZE")
