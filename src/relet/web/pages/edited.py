"""Arguments that somebody has edited in a page where secrets are hidden: only what they have changed is said anew."""

from __future__ import annotations

import json
from typing import Any, cast

from relet.job.redact import HIDDEN
from relet.web.problem import invalid


def patch_of(edited: str, shown: str) -> dict[str, Any]:
    """The arguments that differ from those that were shown. Raises Problem."""
    now, was = _arguments(edited), _arguments(shown)
    if gone := [name for name in was if name not in now]:
        raise invalid(f"{', '.join(gone)}: arguments can be changed here, not left out. Nothing was done.")
    changed = {name: value for name, value in now.items() if name not in was or was[name] != value}
    if hidden := [name for name, value in changed.items() if HIDDEN in json.dumps(value, ensure_ascii=False)]:
        raise invalid(
            f"{', '.join(hidden)}: a part of it is hidden here, and would be lost. Write it whole. Nothing was done."
        )
    return changed


def json_object(text: str, name: str) -> dict[str, Any]:
    """A JSON object that somebody typed. Raises Problem."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise invalid(f"{name}: this is no JSON: {error}. Nothing was done.") from None
    if not isinstance(value, dict):
        raise invalid(f"{name}: write a JSON object, {{…}}. Nothing was done.")
    return cast("dict[str, Any]", value)


def _arguments(text: str) -> dict[str, Any]:
    return json_object(text, "arguments")
