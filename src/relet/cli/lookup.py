"""Finding the App: `-A`, then RELET_APP, [tool.relet] in pyproject.toml, relet.toml, and last the one App that is here."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import TYPE_CHECKING, Literal, NamedTuple, overload

import relet
from relet.cli.exits import Exit, Problem
from relet.cli.parser import near
from relet.job.textsafe import describe, one_line
from relet.settings import Settings

if TYPE_CHECKING:
    from relet.app import App

PACKAGE = Path(relet.__file__).parent
USUAL = ("app", "tasks", "main")
"""Modules of the present directory in which an App is looked for; then `tasks` of each package there."""


class Found(NamedTuple):
    """An App, the place where it stands (`module:attribute`), and the rule that led there."""

    app: App
    place: str
    rule: str


@overload
def find_app(settings: Settings, *, required: Literal[True] = True) -> Found: ...
@overload
def find_app(settings: Settings, *, required: bool) -> Found | None: ...
def find_app(settings: Settings, *, required: bool = True) -> Found | None:
    """The App that the settings name, or the only one in the usual places. The present directory is put on `sys.path`.

    Raises Problem: it is named and cannot be loaded, or none (or more than one) is found and one is `required`.
    """
    here = os.fspath(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    if settings.app:
        app, place = _named(settings.app)
        return Found(app, place, settings.source("app"))
    candidates = _detected()
    if len(candidates) == 1:
        return Found(*candidates[0], "the only App here")
    if required:
        raise _ambiguous(candidates) if candidates else _nothing()
    return None


def _named(name: str) -> tuple[App, str]:
    module_name, _, attribute = name.partition(":")
    module_name = module_name.removesuffix(".py").replace("/", ".").strip(".")
    module = _imported(module_name, name)
    apps = _apps_in(module)
    if attribute:
        return _attribute(module, attribute, apps), f"{module_name}:{attribute}"
    if len(apps) == 1:
        return next(iter(apps.values())), f"{module_name}:{next(iter(apps))}"
    if apps:
        raise _ambiguous([(app, f"{module_name}:{found}") for found, app in apps.items()])
    raise Problem(
        Exit.NOT_FOUND,
        f"module {module_name} holds no App",
        f"It was imported from {getattr(module, '__file__', '?')}.",
        "Next: write `app = App()` in it, or name the right one: -A module:attribute",
    )


def _attribute(module: ModuleType, attribute: str, apps: dict[str, App]) -> App:
    from relet.app import App

    value = getattr(module, attribute, None)
    if isinstance(value, App):
        return value
    kind = f"is a {type(value).__name__}, not an App" if hasattr(module, attribute) else "does not exist"
    hint = near(attribute, apps)
    advice = f"Did you mean {module.__name__}:{hint}?" if hint else f"Apps in it: {', '.join(apps) or 'none'}."
    raise Problem(Exit.NOT_FOUND, f"{module.__name__}:{attribute} {kind}", advice)


def _detected() -> list[tuple[App, str]]:
    """Every App in the usual places, once: an App that one module imports from another is one App."""
    found: dict[int, tuple[App, str]] = {}
    for module_name in _usual_modules():
        for attribute, app in _apps_in(_imported(module_name, module_name)).items():
            found.setdefault(id(app), (app, f"{module_name}:{attribute}"))
    return list(found.values())


def _usual_modules() -> list[str]:
    here = Path.cwd()
    modules = [name for name in USUAL if (here / f"{name}.py").is_file() and _mentions_relet(here / f"{name}.py")]
    packages = sorted(path.parent for path in here.glob("*/tasks.py") if (path.parent / "__init__.py").is_file())
    return modules + [f"{package.name}.tasks" for package in packages if _mentions_relet(package / "tasks.py")]


def _mentions_relet(file: Path) -> bool:
    """Other programs have a main.py too: one that does not know us is not run."""
    return b"relet" in file.read_bytes()


def _apps_in(module: ModuleType) -> dict[str, App]:
    from relet.app import App

    named = [(name, value) for name, value in vars(module).items() if isinstance(value, App)]
    once = {id(app): (name, app) for name, app in reversed(named)}
    return dict(once.values())


def _imported(module_name: str, asked: str) -> ModuleType:
    try:
        if module_name and find_spec(module_name) is not None:
            return import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(f"{error.name}."):
            raise _broken(module_name, error) from error
    except BaseException as error:  # user code may raise anything, SystemExit too
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _broken(module_name, error) from error
    raise Problem(
        Exit.NOT_FOUND,
        f"there is no module {module_name!r} (asked for as {one_line(asked)!r})",
        f"It was looked for in {Path.cwd()} and on Python's path.",
        "Next: go to the directory that holds it, or name it: relet … -A package.module:app",
    )


def _broken(module_name: str, error: BaseException) -> Problem:
    return Problem(
        Exit.USAGE,
        f"module {module_name} cannot be imported: {describe(error, 500)}",
        f"Raised at {_place(error)}.",
        f"Next: python -c 'import {module_name}' shows the whole stack.",
    )


def _place(error: BaseException) -> str:
    """The last line of the user's code before an error: a wrong option of a task is where it was written, not where we saw it."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    theirs = [place for place in frames if not _ours(place[0])] or frames
    return f"{theirs[-1][0]}:{theirs[-1][1]}" if theirs else "an unknown place"


def _ours(file: str) -> bool:
    return file.startswith("<frozen ") or Path(file).is_relative_to(PACKAGE)


def _ambiguous(candidates: list[tuple[App, str]]) -> Problem:
    places = [place for _, place in candidates]
    return Problem(
        Exit.USAGE, f"there are {len(places)} Apps here: {', '.join(places)}", "", f"Next: name one: -A {places[0]}"
    )


def _nothing() -> Problem:
    return Problem(
        Exit.NOT_FOUND,
        "no App was named, and none was found here",
        "Looked in app.py, tasks.py, main.py and <package>/tasks.py of this directory; RELET_APP is not set.",
        "Next: relet init writes a starter; or name yours: -A module:app",
    )
