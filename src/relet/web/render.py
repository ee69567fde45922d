"""Pages made of templates. What is put into them is escaped, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from relet.web import assets
from relet.web.words import FILTERS

THEME_COOKIE = "relet_theme"
DENSITY_COOKIE = "relet_density"

THEMES = ("light", "dark")
DENSITIES = ("comfortable", "compact")


def page(request: Request, template: str, status: int = 200, /, **facts: Any) -> HTMLResponse:
    """A template as the answer. `root` is the path of the site: addresses begin with it, wherever it is mounted."""
    text = templates().get_template(template).render(surroundings(request), **facts)
    return HTMLResponse(text, status)


def surroundings(request: Request) -> Mapping[str, Any]:
    """What every template knows: where the site stands, and how this browser wants it to look."""
    theme, density = request.cookies.get(THEME_COOKIE), request.cookies.get(DENSITY_COOKIE)
    return {
        "root": request.scope.get("root_path", ""),
        "theme": theme if theme in THEMES else "",
        "density": density if density in DENSITIES else "",
        "version": assets.version(),
    }


@cache
def templates() -> Environment:
    """All templates of the package."""
    made = Environment(
        loader=PackageLoader("relet.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    return made
