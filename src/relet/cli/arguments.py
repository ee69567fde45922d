"""Arguments of a task on a command line: `name=value`, values in order, or one JSON object. And the task's name itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, TextIO, cast

from relet.cli.parser import near
from relet.errors import NotFound, UsageError
from relet.job.payload import parse_json
from relet.job.textsafe import shown

if TYPE_CHECKING:
    from relet.app import App
    from relet.task import Task

HELP = """\
arguments of the task:
  name=value        a value is JSON if it can be read so, else text; of a `str` parameter it is always text
  name:=value       the value is JSON
  value             values without a name fill the parameters in order
  '{"name": ...}'   one JSON object with all of them; - reads it from stdin
"""

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def read_arguments(words: Sequence[str], signature: Signature | None, stdin: TextIO) -> dict[str, Any]:
    """Arguments by name, in their JSON form. Without a signature, each needs its name. Raises UsageError."""
    if words == ["-"]:
        return _object(stdin.read(), "stdin")
    if len(words) == 1 and words[0].lstrip().startswith("{"):
        return _object(words[0], "the argument")
    found: dict[str, Any] = {}
    unnamed: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        as_json = name.endswith(":")
        name = name.removesuffix(":")
        if equals and name.isidentifier():
            _put(found, name, parse_json(value, name) if as_json else _value(value, name, signature))
        else:
            unnamed.append(word)
    for name, value in zip(_free_names(unnamed, signature, found), unnamed, strict=True):
        _put(found, name, _value(value, name, signature))
    return found


def _put(found: dict[str, Any], name: str, value: object) -> None:
    if name in found:
        raise UsageError(f"Argument {name!r} was given twice.")
    found[name] = value


def _free_names(unnamed: Sequence[str], signature: Signature | None, found: Mapping[str, Any]) -> list[str]:
    """The parameters that the values without a name fill."""
    parameters = signature.parameters.values() if signature else ()
    names = [p.name for p in parameters if p.kind in _POSITIONAL and p.name not in found]
    if len(unnamed) > len(names):
        extra = shown(unnamed[len(names)])
        if signature is None:
            raise UsageError(f"{extra} has no name, and the task's code is not here. Write name=value.")
        raise UsageError(f"{extra} is one argument too many. The task is called as {signature}.")
    return names[: len(unnamed)]


def _value(text: str, name: str, signature: Signature | None) -> object:
    """JSON where the text can be read so; text for a parameter that takes text, and for everything else."""
    parameter = signature.parameters.get(name) if signature else None
    if parameter is not None and parameter.annotation is str:
        return text
    try:
        json.loads(text)
    except ValueError:
        return text
    except RecursionError:
        pass  # the sentence for it comes with the next line
    return parse_json(text, name)


def _object(text: str, where: str) -> dict[str, Any]:
    value = parse_json(text, where)
    if not isinstance(value, dict):
        raise UsageError(f"{where}: {shown(text)} is not a JSON object of arguments by name.")
    return cast("dict[str, Any]", value)


def find_task(app: App, name: str) -> Task[..., Any]:
    """The task of this name, or the only one whose name ends in `.name`. Raises NotFound."""
    task = app.tasks.get(name)
    if task is not None:
        return task
    ending = [known for known in app.tasks if known.endswith(f".{name}")]
    if len(ending) == 1:
        return app.tasks[ending[0]]
    if ending:
        raise NotFound(f"More than one task is called {name!r}: {', '.join(ending)}. Give the whole name.")
    known = sorted(app.tasks)
    by_last_part = {task.rpartition(".")[2]: task for task in known}
    hint = near(name, known) or by_last_part.get(near(name, by_last_part) or "")
    advice = f"Did you mean {hint}?" if hint else f"There are: {', '.join(known) or 'none'}."
    raise NotFound(f"There is no task {name!r} in this App. {advice}")
