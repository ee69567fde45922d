"""A process that forks after it has used its store: `python -m tests.crash.fork URL PARENT CHILD`.

PARENT: what it does with its store while the child lives: keep, close. CHILD: how the child ends: exit, kill.
Writes the id of each job when it was acknowledged.
"""

import os
import signal
import sys

from relet.settings import Settings
from tests.crash.tasks import add, app

COUNT = 5


def enqueue() -> None:
    for n in range(COUNT):
        os.write(1, f"{add.enqueue(n, 1).id}\n".encode())


def main(url: str, parent: str, child: str) -> None:
    app.settings = Settings.load(code={"url": url}, env={})
    enqueue()
    to_child, to_parent = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        enqueue()
        os.write(to_parent[1], b"x")
        os.read(to_child[0], 1)
        enqueue()
        if child == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        app.close()
        os._exit(0)
    os.read(to_parent[0], 1)
    if parent == "close":
        app.close()
    os.write(to_child[1], b"x")
    os.waitpid(pid, 0)
    if parent == "keep":
        enqueue()
        app.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
