"""Imports point down only, and every module of the package has its place among the layers."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "relet"


def _contract(name: str) -> dict[str, Any]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return next(contract for contract in settings["contracts"] if contract["id"] == name)


def test_every_module_belongs_to_a_layer() -> None:
    named = set(re.findall(r"\w+", " ".join(_contract("layers")["layers"])))
    rooms = {path.parent.name for path in PACKAGE.glob("*/*.py")}
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert (rooms | modules) - named == set()


def test_every_room_is_a_package() -> None:
    rooms = {path.parent for path in PACKAGE.rglob("*.py")}
    assert {str(room.relative_to(ROOT)) for room in rooms if not (room / "__init__.py").is_file()} == set()


def test_imports_keep_to_the_contracts() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([linter, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
