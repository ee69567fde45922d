"""One PostgreSQL for a whole test session, shared by all its processes.

The process that runs pytest makes a `Session` and ends it. Beside it stands a keeper, at first a shell that costs
nothing: it waits at a named pipe. Whichever process needs the server first writes to the pipe; the keeper then
starts the server and reads on. When nobody holds the pipe open any more, because the session ended or was killed,
the keeper ends the server and deletes its files.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from tests.support.postgres import START_SECONDS, UNSYNCED, Databases, PostgresServer, PostgresUnavailable

OUTSIDE_URL = "RELET_TEST_POSTGRES_URL"
PLACE = "RELET_TEST_SESSION"

# Whatever becomes of the server's keeper, the shell reads to the end of the session and then tidies up.
_KEEPER = """
read -r request && { "$0" -m tests.support.postgres_session "$1" || echo "unavailable its keeper failed" >"$1/answer"; }
cat >/dev/null
rm -rf "$1"
"""


class Session:
    """The test session of this process and its children; a child process finds it through the environment."""

    def __init__(self) -> None:
        self._place = Path(tempfile.mkdtemp(prefix="relet-tests-"))
        self._place.chmod(0o711)  # a server that runs as nobody must get through
        (self._place / "prefix").write_text(f"relet_test_{uuid4().hex[:8]}")
        os.environ[PLACE] = str(self._place)
        self._start_keeper()

    def end(self) -> None:
        """End the server, drop what was made on an outside one, delete the files."""
        del os.environ[PLACE]
        if outside := os.environ.get(OUTSIDE_URL):
            Databases(outside, (self._place / "prefix").read_text()).drop_all()
        os.close(self._pipe)
        self._keeper.wait()

    def _start_keeper(self) -> None:
        pipe = self._place / "pipe"
        os.mkfifo(pipe)
        # Opened for both first, for to open one end of a pipe waits for the other.
        both = os.open(pipe, os.O_RDWR)
        reading = os.open(pipe, os.O_RDONLY)
        self._pipe = os.open(pipe, os.O_WRONLY)
        os.close(both)
        self._keeper = subprocess.Popen(
            ["sh", "-c", _KEEPER, sys.executable, str(self._place)],
            stdin=reading,
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )
        os.close(reading)


def session_databases() -> Databases:
    """The server of this session, started if it is not yet. Raises PostgresUnavailable."""
    place = Path(os.environ[PLACE])
    prefix = (place / "prefix").read_text()
    if outside := os.environ.get(OUTSIDE_URL):
        return Databases(outside, prefix)
    (place / "pipe").write_text("start\n")
    answer, deadline = place / "answer", time.monotonic() + START_SECONDS
    while not answer.exists():
        if time.monotonic() > deadline:
            raise PostgresUnavailable(f"nothing started within {START_SECONDS} s")
        time.sleep(0.005)
    verdict, _, text = answer.read_text().partition(" ")
    if verdict != "url":
        raise PostgresUnavailable(text)
    # Files are copied fastest where nobody waits until they are on disk.
    return Databases(text, prefix, "file_copy")


def keep(place: Path) -> None:
    """Start the server, tell the session how it went, and end it when the session has ended."""
    try:
        with PostgresServer.launch(place / "postgres", settings=UNSYNCED) as server:
            _answer(place, f"url {server.admin_url}")
            sys.stdin.read()
    except PostgresUnavailable as reason:
        _answer(place, f"unavailable {reason}")


def _answer(place: Path, text: str) -> None:
    (place / "answer.part").write_text(text)
    (place / "answer.part").rename(place / "answer")


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
