"""Every link inside of the documentation leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, pages

_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (?P<text>.+)$")


def anchors(page: Path) -> set[str]:
    """The anchors of its headings, as Markdown renderers make them."""
    found: set[str] = set()
    code = False
    for line in page.read_text("utf-8").splitlines():
        code ^= line.startswith("```")
        heading = None if code else _HEADING.match(line)
        if heading:
            text = re.sub(r"[^\w\- ]", "", heading["text"].lower())
            found.add(text.replace(" ", "-"))
    return found


def links(page: Path) -> list[str]:
    """Where a page points to, within the project."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    return [found for found in _LINK.findall(text) if not found.startswith(("http://", "https://", "mailto:"))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_resolve(page: Path) -> None:
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}; there are {sorted(anchors(target))}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    to_see = [ROOT / "README.md"]
    while to_see:
        page = to_see.pop()
        if page.is_dir() and page.is_relative_to(ROOT / "docs"):
            to_see += page.glob("*.md")
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        to_see += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if link[0] != "#"]
    assert {page for page in pages() if page.is_relative_to(ROOT / "docs")} <= seen


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_that_a_page_names_are_there(page: Path) -> None:
    named = re.findall(r"`(tests/[\w./]+)`", page.read_text("utf-8"))
    assert not [name for name in named if not (ROOT / name).exists()]
