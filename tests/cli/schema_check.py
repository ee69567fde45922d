"""Whether what a command printed is of the documented schema: every field there, none more, each of its type."""

from __future__ import annotations

from typing import Any, get_type_hints

import msgspec


def conforms(record: Any, schema: type) -> bool:
    """Raises with the flaw; True if there is none."""
    assert set(record) == set(get_type_hints(schema)), (record, schema)
    msgspec.convert(record, schema, strict=True)
    return True
