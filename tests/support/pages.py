"""Measured figures in the pages: written between marks by whoever measured them, never by hand."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"


def between_marks(page: Path, text: str, mark: str = "figures") -> None:
    """Put a text between `<!-- MARK:begin -->` and `<!-- MARK:end -->`. Raises ValueError if the page has no such marks."""
    begin, end = f"<!-- {mark}:begin -->", f"<!-- {mark}:end -->"
    before, found, rest = page.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{page} has no marks {begin} and {end}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}")
