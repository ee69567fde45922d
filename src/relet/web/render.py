"""Pages made of templates. What is put into them is escaped, whatever it is."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse


def page(request: Request, template: str, status: int = 200, **facts: Any) -> HTMLResponse:
    """A template as the answer. `root` is the path of the site: addresses begin with it, wherever it is mounted."""
    text = templates().get_template(template).render(root=request.scope.get("root_path", ""), **facts)
    return HTMLResponse(text, status)


@cache
def templates() -> Environment:
    """All templates of the package."""
    return Environment(
        loader=PackageLoader("relet.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
