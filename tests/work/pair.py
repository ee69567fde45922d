"""Two real workers of a small app, of which one may be killed and replaced at any moment."""

import sys
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Self


class Pair:
    """The app is the module `name` in the folder; what it writes down is the file `ledger` beside it."""

    def __init__(self, folder: Path, name: str, code: str, url: str, *options: str) -> None:
        (folder / f"{name}.py").write_text(code)
        self.ledger = folder / "ledger"
        self._folder = folder
        self._command = [
            "-m",
            "relet",
            "worker",
            "-A",
            name,
            "--lease",
            "3s",
            "--quiet",
            "--lock-dir",
            str(folder),
            *options,
        ]
        path = f"{folder}:{':'.join(sys.path)}"
        self._env = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "RELET_URL": url, "LEDGER": str(self.ledger)}
        self._workers: list[Popen[bytes]] = []

    def run(self, *command: str) -> Popen[bytes]:
        """Python with this command, where the workers are."""
        return Popen([sys.executable, *command], cwd=self._folder, env=self._env, stdout=DEVNULL, stderr=DEVNULL)

    def kill(self, place: int) -> None:
        """Kill the worker at this place, 0 or 1, and start another one."""
        self._workers[place].kill()
        self._workers[place].wait()
        self._workers[place] = self.run(*self._command)

    def __enter__(self) -> Self:
        self._workers = [self.run(*self._command), self.run(*self._command)]
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.wait(20)
