"""Where settings come from: flags and arguments, the environment, and TOML files. Each yields what was given, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from relet.errors import SettingsError
from relet.settings.setting import Given, Setting
from relet.settings.table import BY_NAME, TABLE

Found = dict[str, Given]

PREFIX = "RELET_"
FILES = ("relet.toml", "pyproject.toml")
"""The weaker one first."""


def from_flags(values: Mapping[str, object]) -> Found:
    """Flags of a command line. None stands for a flag that was not given."""
    return {
        setting.name: Given(value, f"flag {setting.flag}")
        for key, value in values.items()
        if value is not None and (setting := _known(key, "the command line"))
    }


def from_code(values: Mapping[str, object]) -> Found:
    """Arguments in a program. None stands for an argument that was not given."""
    return {
        setting.name: Given(value, f"argument {setting.name}")
        for key, value in values.items()
        if value is not None and (setting := _known(key, "the program"))
    }


def from_environment(env: Mapping[str, str]) -> Found:
    """Variables of the process. An empty one counts as not set: compose files write them so.

    A variable that is nearly one of ours is refused as a slip; other RELET_ names may belong to somebody else.
    """
    variables = {variable: setting for setting in TABLE for variable in setting.env}
    for variable in env:
        if variable.startswith(PREFIX) and variable not in variables:
            _refuse_slip(variable)
    found: Found = {}
    for variable, setting in variables.items():
        if env.get(variable):
            found.setdefault(setting.name, Given(env[variable], variable))
    return found


def from_files(cwd: Path) -> Found:
    """relet.toml, and over it [tool.relet] of pyproject.toml: each the nearest one in `cwd` or above it."""
    found: Found = {}
    for name in FILES:
        for folder in (cwd, *cwd.parents):
            if (section := _section(folder / name)) is not None:
                found |= _from_section(section, folder / name, cwd)
                break
    return found


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.75)), None)


def _refuse_slip(variable: str) -> None:
    near = closest(variable.removeprefix(PREFIX).lower(), BY_NAME)
    if near:
        meant = PREFIX + near.upper()
        raise SettingsError(
            f"{variable} is not a setting.\nIt looks like a slip of {meant}, which would stay at its default unnoticed.\n"
            f"Write {meant}, or unset {variable}."
        )


def _known(key: str, where: str) -> Setting:
    setting = BY_NAME.get(key.replace("-", "_"))
    if setting is not None:
        return setting
    near = closest(key, BY_NAME)
    advice = f"Did you mean {near}?" if near else f"There are: {', '.join(BY_NAME)}."
    raise SettingsError(f"{key!r} in {where} is not a setting.\nA value that nobody reads would mislead.\n{advice}")


def _from_section(section: Mapping[str, object], path: Path, cwd: Path) -> Found:
    found: Found = {}
    for key, value in section.items():
        setting = _known(key, str(path))
        found[setting.name] = Given(_anchored(setting, value, path, cwd), str(path))
    return found


def _anchored(setting: Setting, value: object, path: Path, cwd: Path) -> object:
    """A relative SQLite file in a settings file is the one beside it, wherever below it the program was started."""
    if setting.name != "url" or not isinstance(value, str) or path.parent == cwd:
        return value
    scheme, slashes, file = value.partition(":///")
    relative = scheme.startswith("sqlite") and slashes and file and file[0] not in "/:"
    return f"{scheme}:///{path.parent / file}" if relative else value


def _section(path: Path) -> Mapping[str, object] | None:
    """The settings in a file; None when there is no such file, or it says nothing about Relet."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    if path.name == "pyproject.toml" and b"relet" not in raw:
        return None  # spares most projects the parser
    return _table_of(raw, path)


def _table_of(raw: bytes, path: Path) -> Mapping[str, object] | None:
    import tomllib

    try:
        document = tomllib.loads(raw.decode())
    except ValueError as error:
        raise SettingsError(
            f"{path} is not valid TOML: {error}.\nNo setting was taken from it.\nCorrect the file."
        ) from None
    if path.name == "relet.toml":
        if isinstance(document.get("tool"), dict):
            raise SettingsError(
                f"{path} has a table [tool.…], as pyproject.toml has.\nNo setting was taken from it.\n"
                "In relet.toml settings stand at the top, under no table."
            )
        return document
    tool: Any = document.get("tool", {})
    section: Any = cast("dict[str, Any]", tool).get("relet") if isinstance(tool, dict) else None
    if section is not None and not isinstance(section, dict):
        raise SettingsError(
            f"tool.relet in {path} is not a table.\nSettings are keys of it.\nWrite [tool.relet] above them."
        )
    return cast("dict[str, object] | None", section)
