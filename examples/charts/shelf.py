"""Where finished charts are kept: a folder of files that are named by what they show, each whole or not there."""

from __future__ import annotations

import os
import time
from pathlib import Path
from uuid import uuid4

PART_LASTS_S = 3600
"""What has been written for so long was given up by a writer that was killed."""


class Shelf:
    """Files `ab/abcdef….png`. Workers and servers share the folder; it may be on any file system that has links."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str, form: str) -> Path:
        """Where a chart is, if it is there."""
        return self.folder / key[:2] / f"{key}.{form}"

    def get(self, key: str, form: str) -> bytes | None:
        """The chart; None: it is not there."""
        try:
            return self.path(key, form).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, key: str, form: str, content: bytes) -> bool:
        """Put a chart there, for good and as a whole: the writer may be killed at any moment. False: it was there."""
        path = self.path(key, form)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{uuid4().hex}.part")
        try:
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(part, path)
        except FileExistsError:
            return False
        finally:
            part.unlink(missing_ok=True)
        return True

    def charts(self) -> list[Path]:
        """All that are there."""
        return sorted([*self.folder.glob("*/*.png"), *self.folder.glob("*/*.svg")])

    def sweep(self, keep_s: float) -> int:
        """Remove what was put there longer ago than this; and what killed writers have left. How many files."""
        now = time.time()
        old = [path for path in self.folder.glob("*/*.*") if now - path.stat().st_mtime > _lasts_s(path, keep_s)]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def _lasts_s(path: Path, keep_s: float) -> float:
    return PART_LASTS_S if path.suffix == ".part" else keep_s
