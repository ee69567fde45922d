"""Who is dead on this host, by a lock that the kernel drops when its holder is gone.

Each session holds an `flock` on a file of its own, in a directory of the host. Its row in the store says under which boot
and in which directory (device and inode). Only a process that sees that same directory may judge; a file that is missing
proves nothing, for somebody may have tidied: then the lease decides. Process ids prove nothing either: they are reused.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from relet.errors import SettingsError
from relet.store.rows import SessionRow

_NAME = re.compile("[0-9a-f]{32}[.]lock")

try:
    import fcntl
except ImportError:  # not on this platform: the lease decides
    fcntl = None


class Locks:
    """The lock files of one directory."""

    def __init__(self, directory: str, boot: str) -> None:
        """`directory` empty: one of the user's own. Raises SettingsError if it cannot be used."""
        self.boot = boot
        self._path = _prepared(Path(directory)) if directory else _prepared(default_directory())
        self._held: dict[bytes, int] = {}
        here = self._path.stat()
        self.place = f"{here.st_dev}:{here.st_ino}" if fcntl is not None else ""
        """Names the directory to every process that sees it."""

    def _file(self, session_id: bytes) -> Path:
        return self._path / f"{session_id.hex()}.lock"

    def hold(self, session_id: bytes) -> None:
        """Hold the lock of a session that is about to begin, for as long as this process lives."""
        if fcntl is None:
            return
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(self._file(session_id), flags, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._held[session_id] = fd

    def let_go(self, session_id: bytes) -> None:
        """The session is over: remove its file. Without one, nobody is judged."""
        fd = self._held.pop(session_id, None)
        if fd is None:
            return
        with suppress(OSError):
            self._file(session_id).unlink()
        os.close(fd)

    def close(self) -> None:
        """Let go of everything."""
        for session_id in tuple(self._held):
            self.let_go(session_id)

    def free(self) -> list[bytes]:
        """Sessions with a file that nobody holds. Asks the kernel only."""
        if not self.place:
            return []
        found = [bytes.fromhex(file.stem) for file in self._path.iterdir() if _NAME.fullmatch(file.name)]
        return [session_id for session_id in found if session_id not in self._held and self._is_free(session_id)]

    def dead(self, sessions: Iterable[SessionRow]) -> list[SessionRow]:
        """Those of these sessions whose process is certainly gone."""
        return [row for row in sessions if self._may_judge(row) and self._is_free(row.id)]

    def _may_judge(self, row: SessionRow) -> bool:
        here = bool(self.place) and row.host_boot == self.boot and row.lock_place == self.place
        return here and row.ended_at is None and row.id not in self._held

    def _is_free(self, session_id: bytes) -> bool:
        """True if the file is there and nobody holds its lock."""
        assert fcntl is not None
        try:
            fd = os.open(self._file(session_id), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(fd)
        return True

    def forget(self, session_id: bytes) -> None:
        """A dead session was reclaimed: its file is of no use any more."""
        with suppress(OSError):
            self._file(session_id).unlink()


def default_directory() -> Path:
    """The same for all processes of a user on this host."""
    if not hasattr(os, "getuid"):
        return Path(tempfile.gettempdir()) / "relet-locks"
    # Not /run/user/…, which comes and goes with a login, nor $TMPDIR: all workers of a user have to find the same one,
    # whether a login, cron or a service manager has started them.
    return Path("/tmp") / f"relet-{os.getuid()}"


def _prepared(path: Path) -> Path:
    """Made if need be. In a place where anybody may write, it has to be ours alone."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise SettingsError(
            f"lock_dir: {path} cannot be used: {error}.\nWithout it the death of a worker is noticed only when its lease "
            "lapses.\nName a directory of this host that this user may write to: RELET_LOCK_DIR=/run/relet"
        ) from None
    if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "getuid") and found.st_uid not in (0, os.getuid())):
        raise SettingsError(
            f"lock_dir: {path} is not a directory of this user.\nWhoever owns it could make live workers look dead.\n"
            "Name another one: RELET_LOCK_DIR=/run/relet"
        )
    return path
