"""The words of Vega-Lite that a specification is checked against. https://vega.github.io/vega-lite/docs/"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def _words(*lines: str) -> tuple[str, ...]:
    return tuple(" ".join(lines).split())


VIEWS = _words("mark layer facet hconcat vconcat concat repeat")
"""A view has exactly one of these."""

MARKS = _words("arc area bar boxplot circle errorband errorbar geoshape line point rect rule square text tick trail")

CHANNELS = _words(
    "x y x2 y2 xOffset yOffset xError xError2 yError yError2 longitude latitude longitude2 latitude2",
    "theta theta2 radius radius2 color fill stroke opacity fillOpacity strokeOpacity strokeWidth strokeDash",
    "size angle shape detail key text tooltip order facet row column time description",
)

TYPES = _words("quantitative temporal ordinal nominal geojson")

AGGREGATES = _words(
    "argmax argmin average count distinct max mean median min missing product q1 q3 ci0 ci1 stderr stdev stdevp",
    "sum valid values variance variancep exponential exponentialb",
)

TRANSFORMS = _words(
    "aggregate bin calculate density extent filter flatten fold impute joinaggregate loess lookup pivot quantile",
    "regression sample stack timeUnit window",
)


def unknown(word: object, kind: str, known: Iterable[str]) -> str:
    """That a word is none of these, with the one that was probably meant."""
    known = list(known)
    close = get_close_matches(str(word), known, n=1)
    advice = f"Did you mean {close[0]!r}?" if close else f"Use one of {', '.join(known)}."
    return f"{str(word)[:60]!r} is no {kind}. {advice}"
