"""Finding a task in a child process: by the module of its function and its name there."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NamedTuple, cast

from relet.errors import DefinitionError
from relet.work.importing import IMPORTING
from relet.work.registry import Runnable


class Main(NamedTuple):
    """How the worker's own main module can be run again: by name (`python -m`), or by file. Neither: not at all."""

    module: str
    file: str


def this_main() -> Main:
    """That of this process."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return Main(str(spec.name), "")
    return Main("", str(getattr(main, "__file__", "") or ""))


def place_of(task: Runnable) -> tuple[str, str] | None:
    """Module and name by which a child finds a task; None: it cannot, for the function lives inside of another."""
    module = getattr(task.fn, "__module__", None)
    qualname = getattr(task.fn, "__qualname__", None)
    if not module or not qualname or "<locals>" in qualname or "<lambda>" in qualname:
        return None
    if module == "__main__" and this_main() == Main("", ""):
        return None
    return module, qualname


def check_tasks(tasks: Iterable[Runnable]) -> None:
    """Raise DefinitionError for a task that is to run in a process of its own and cannot."""
    for task in tasks:
        if task.spec.executor != "process":
            continue
        if os.name != "posix":
            raise DefinitionError(
                f"task {task.name!r}: executor='process' is not available on this platform. Use 'thread'."
            )
        if place_of(task) is None:
            raise DefinitionError(
                f"task {task.name!r}: a child process cannot import its function, which lives inside of another one, or in a "
                "main module that is no file. Declare it at the top level of a module, or use executor='thread'."
            )


def find_task(main: Main, module: str, qualname: str, name: str) -> Runnable:
    """The task of that name. Imports its module, and raises whatever that raises; DefinitionError if it is not there."""
    token = IMPORTING.set(True)
    try:
        home = _main_again(main) if module == "__main__" else import_module(module)
    finally:
        IMPORTING.reset(token)
    found: Any = home
    for part in qualname.split("."):
        found = getattr(found, part, None)
    for value in (found, *vars(home).values()):
        task = _task_in(value, name)
        if task is not None:
            return task
    raise DefinitionError(
        f"task {name!r} was not found in module {module!r}, which a child process has imported to run it. Declare the task at "
        "the top level of its module, whatever process imports it."
    )


def _task_in(value: Any, name: str) -> Runnable | None:
    """`value` if it is the task, or the task in it if it is an app."""
    if getattr(value, "name", None) == name and hasattr(value, "codec") and hasattr(value, "fn"):
        return cast("Runnable", value)
    tasks = getattr(value, "tasks", None)
    return cast("Mapping[str, Runnable]", tasks).get(name) if isinstance(tasks, Mapping) else None


def _main_again(main: Main) -> ModuleType:
    """The worker's main module under the name `__mp_main__`, as multiprocessing does: what stands under
    `if __name__ == "__main__"` does not run."""
    known = sys.modules.get("__mp_main__")
    if known is not None:
        return known
    before = sys.modules["__main__"]  # so far that of the guard; tasks are named after the program's own
    before.__spec__ = find_spec(main.module) if main.module else None
    before.__file__ = main.file or None
    module = ModuleType("__mp_main__")
    if main.module:
        module.__dict__.update(runpy.run_module(main.module, run_name="__mp_main__", alter_sys=True))
    else:
        module.__dict__.update(runpy.run_path(main.file, run_name="__mp_main__"))
    sys.modules["__main__"] = sys.modules["__mp_main__"] = module
    return module
