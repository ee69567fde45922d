"""Each statement stands once, for everybody or for an engine."""

import re
from collections import Counter
from pathlib import Path

import pytest

SQL = Path(__file__).parents[2] / "src" / "relet" / "store" / "sql"


@pytest.mark.parametrize("folder", [".", "sqlite", "postgres"])
def test_no_two_statements_have_one_name(folder: str) -> None:
    """The later one would take the place of the other without a word."""
    names = Counter(
        name for file in (SQL / folder).glob("*.sql") for name in re.findall(r"(?m)^-- name: (\w+)", file.read_text())
    )
    assert names
    assert [name for name, count in names.items() if count > 1] == []
