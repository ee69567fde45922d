"""The name that was probably meant by a slip of the pen. Pure."""

from __future__ import annotations

from collections.abc import Iterable

LEAST_BEGINNING = 3
"""So many letters of a name are enough to mean it."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that differs from this one by a slip, or begins with it; None rather than a guess.

    A slip is a letter too many, missing, wrong or swapped with its neighbour: one of them in a name of up to four letters,
    two up to nine, three above. Case and leading dashes do not count.
    """
    asked = _bare(word)
    names = sorted(set(known))
    slips = [(distance, name) for name in names if (distance := _slips(asked, _bare(name))) <= _allowed(asked, name)]
    if slips:
        return min(slips)[1]
    return next((n for n in names if len(asked) >= LEAST_BEGINNING and _bare(n).startswith(asked)), None)


def _bare(name: str) -> str:
    return name.lstrip("-").lower()


def _allowed(asked: str, name: str) -> int:
    length = min(len(asked), len(_bare(name)))
    return 1 if length <= 4 else 2 if length <= 9 else 3


def _slips(one: str, other: str) -> int:
    """The least number of slips between two words (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for n, letter in enumerate(one, 1):
        row = [n]
        for m, its in enumerate(other, 1):
            cost = min(last[m] + 1, row[m - 1] + 1, last[m - 1] + (letter != its))
            if n > 1 and m > 1 and letter == other[m - 2] and one[n - 2] == its:
                cost = min(cost, before[m - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
