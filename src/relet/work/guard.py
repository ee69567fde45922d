"""The guard: the process between a worker and one child process. Runs as a script, and imports nothing of the package.

It forks the child before anything is imported, and waits. When the worker dies, or says so, it kills the child with all that
the child has started: also what has left the child's process group, for the guard adopts orphans (Linux: subreaper). When
the child ends it kills what is left over, and reports how the child ended. So no process survives its worker, and a pid is
signalled only by its own parent, for whom it cannot have been reused.

    guard.py LINE LIFE    two inherited descriptors: the child's socket, and the guard's own
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
TERM, KILL = b"T", b"K"
ROUNDS = 20
LOOK_MS = 50
CAN_WAIT = hasattr(os, "pidfd_open") and hasattr(os, "waitid")


def main(line: int, life: int) -> None:
    """Never returns in the guard; in the child, when it has ended."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    guard = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(life)
        os.setsid()
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # so that it sees what a job has left behind, and is not used again
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == guard:
            serve(line)
        os._exit(0)
    os.close(line)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a worker's end reaches the guard as the end of its socket
    os._exit(guarding(child, life))


def serve(line: int) -> None:
    """The child: take over the worker's import path, then run jobs."""
    size = int.from_bytes(read_exactly(line, 4), "big")
    hello = json.loads(read_exactly(line, size))
    sys.path[:] = hello["path"]
    sys.argv[:] = hello["argv"]
    from relet.work.child import serve_jobs

    serve_jobs(line, hello["main_module"], hello["main_file"])


def read_exactly(fd: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = os.read(fd, count - len(data))
        if not more:
            os._exit(0)
        data += more
    return data


def guarding(child: int, life: int) -> int:
    """Wait for the end of the child or of the worker, then kill what the child has left behind, and say how it ended."""
    watched = select.poll()
    watched.register(life, select.POLLIN)
    if CAN_WAIT:
        watched.register(os.pidfd_open(child), select.POLLIN)
    while not has_ended(child):
        for fd, _ in watched.poll(None if CAN_WAIT else LOOK_MS):
            if fd == life and not obey(child, life):
                watched.unregister(life)
    signal_to(-child, signal.SIGKILL)  # its group: the child is not reaped yet, so the number is still its own
    _, status = os.waitpid(child, 0)
    kill_family()
    with suppress(OSError):
        os.write(life, os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
    return 0


def has_ended(child: int) -> bool:
    """Whether it has, without reaping it."""
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(child)], capture_output=True, check=False).stdout.strip()
    return state[:1] in (b"Z", b"")


def obey(child: int, life: int) -> bool:
    """Do what the worker says. False: it is gone, and so shall be everything else."""
    try:
        said = os.read(life, 1)
    except OSError:
        said = b""
    if said == TERM:
        signal_to(child, signal.SIGTERM)
    else:
        signal_to(-child, signal.SIGKILL)
        signal_to(child, signal.SIGKILL)
    return bool(said)


def kill_family() -> None:
    """Everything that the child has started and that lives: adopted by the guard, whatever session it is in. Stopped first, so
    that nothing multiplies faster than it is killed."""
    for _ in range(ROUNDS):
        seen: set[int] = set()
        while new := descendants(os.getpid()) - seen:
            for pid in new:
                signal_to(pid, signal.SIGSTOP)
            seen |= new
        if not seen:
            return
        for pid in seen:
            signal_to(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)


def descendants(pid: int) -> set[int]:
    """The children of a process, and theirs. Empty where the kernel does not say."""
    found: set[int] = set()
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found.update(int(child) for child in (thread / "children").read_text().split())
    return found.union(*[descendants(child) for child in found])


def signal_to(pid: int, number: int) -> None:
    with suppress(OSError):
        os.kill(pid, number)


def prctl(option: int, value: int) -> None:
    """Ask the kernel; where it is not Linux, the sockets alone must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
