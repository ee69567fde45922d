"""Tables that fit their screen, and the few colours there are. A state always has a word; colour and glyph come on top."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relet.cli.safe import safe

LEAST_WIDTH = 6
_GAP = 2

_STATES: Mapping[str, tuple[str, str]] = {
    "ready": ("●", "34"),
    "queued": ("●", "34"),
    "scheduled": ("◷", "35"),
    "waiting": ("⧗", "2"),
    "running": ("▶", "36"),
    "succeeded": ("✓", "32"),
    "cancelled": ("⊘", "2"),
    "dead": ("✕", "31"),
    "lost": ("⚠", "33"),
}


@dataclass(frozen=True)
class Style:
    """Whether there are colours, and glyphs beyond ASCII."""

    colour: bool
    glyphs: bool

    def paint(self, text: str, sgr: str) -> str:
        """The text in a colour (a parameter of the terminal's Select Graphic Rendition)."""
        return f"\x1b[{sgr}m{text}\x1b[0m" if self.colour and text else text

    def dim(self, text: str) -> str:
        return self.paint(text, "2")

    def bold(self, text: str) -> str:
        return self.paint(text, "1")

    def state(self, word: str) -> str:
        """A state with its glyph and its colour."""
        glyph, sgr = _STATES.get(word, ("", "0"))
        return self.paint(self.state_text(word), sgr) if glyph else word

    def state_text(self, word: str) -> str:
        """A state with its glyph: what `state` shows, without colour."""
        glyph, _ = _STATES.get(word, ("", ""))
        return f"{glyph} {word}" if glyph and self.glyphs else word


PLAIN = Style(colour=False, glyphs=False)


@dataclass(frozen=True)
class Column:
    """One column: its title and the text of a record in it."""

    title: str
    text: Callable[[Any], object]
    """From a record to what stands in its row."""
    right: bool = False
    flexible: bool = False
    """May be cut when the screen is narrow."""
    spare: bool = False
    """Left out, the last one first, when cutting is not enough."""
    state: bool = False
    """Holds the word of a state."""


def laid_out(
    records: Sequence[Mapping[str, Any]], columns: Sequence[Column], style: Style, width: int | None
) -> list[str]:
    """The lines of a table: a title line, then one for each record. At most `width` columns wide, where that can be."""
    columns = list(columns)
    cells = [[_cell(column, record, style) for column in columns] for record in records]
    widths = [max(_wide(column.title), *(_wide(row[n]) for row in cells)) for n, column in enumerate(columns)]
    shown = _fitted(columns, widths, width) if width else list(range(len(columns)))
    head = [style.dim(_padded(columns[n], columns[n].title.upper(), widths[n])) for n in shown]
    body = [[_painted(columns[n], _padded(columns[n], row[n], widths[n]), style) for n in shown] for row in cells]
    return [(" " * _GAP).join(line).rstrip() for line in (head, *body)]


def _cell(column: Column, record: Mapping[str, Any], style: Style) -> str:
    value = column.text(record)
    text = "" if value is None else safe(value)
    return style.state_text(text) if column.state else text


def _fitted(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    """Which columns are shown; narrows the flexible ones in `widths`."""
    shown = list(range(len(columns)))

    def excess() -> int:
        return sum(widths[n] for n in shown) + _GAP * (len(shown) - 1) - width

    spares = [n for n in shown if columns[n].spare]
    while excess() > sum(max(0, widths[n] - LEAST_WIDTH) for n in shown if columns[n].flexible) and spares:
        shown.remove(spares.pop())
    while (over := excess()) > 0:
        widest = max((n for n in shown if columns[n].flexible), key=lambda n: widths[n], default=None)
        if widest is None or widths[widest] <= LEAST_WIDTH:
            break
        widths[widest] = max(LEAST_WIDTH, widths[widest] - over) if over < 4 else widths[widest] - 1
    return shown


def _padded(column: Column, text: str, width: int) -> str:
    text = _cut(text, width)
    pad = " " * (width - _wide(text))
    return pad + text if column.right else text + pad


def _cut(text: str, width: int) -> str:
    if _wide(text) <= width:
        return text
    kept = text
    while kept and _wide(kept) > width - 1:
        kept = kept[:-1]
    return kept + "…"


def _painted(column: Column, text: str, style: Style) -> str:
    if not column.state:
        return text
    word = text.strip().rpartition(" ")[2]
    return style.paint(text, _STATES[word][1]) if word in _STATES else text


def _wide(text: str) -> int:
    """Columns that a text takes on a screen."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
