"""Runs blocks of a page in this process, one after the other in one namespace: `python play.py < blocks.json`.

Tracebacks name the lines of the page. A block may await at its top level.
"""

import ast
import asyncio
import inspect
import json
import sys
from contextlib import ExitStack
from typing import Any


def play(blocks: list[dict[str, Any]], names: dict[str, Any]) -> None:
    """Run them."""
    for block in blocks:
        expected = next((mark.partition("=")[2] for mark in block["marks"] if mark.startswith("raises=")), None)
        with ExitStack() as stack:
            if "worker" in block["marks"]:
                stack.enter_context(names["app"].worker(poll="50ms"))
            try:
                run(block["text"], block["page"], block["line"], names)
            except Exception as error:
                if type(error).__name__ != expected:
                    raise
            else:
                assert expected is None, f"{block['page']}:{block['line']}: {expected} was not raised"


def run(text: str, page: str, line: int, names: dict[str, Any]) -> None:
    """Run one block, whose first line is the one behind `line` in the page."""
    tree = ast.increment_lineno(ast.parse(text), line)
    code = compile(tree, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(eval(code, names))  # noqa: S307  the code of our own pages
    else:
        exec(code, names)


if __name__ == "__main__":
    sys.path[0] = ""
    given = json.load(sys.stdin)
    globals().update(given["names"])
    play(given["blocks"], globals())
