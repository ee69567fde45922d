"""The query bar: `queue:email state:dead task:send …`, and text to be searched for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

FIELDS = ("state", "queue", "task", "worker", "since", "until", "stuck")
"""What can be said with a colon; the same words as in the API."""

_PART = re.compile(r'(\w+):(?:"([^"]*)"|(\S+))|"([^"]*)"|(\S+)')


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody looks for."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    text: str = ""
    """To be found in arguments and errors."""

    @classmethod
    def read(cls, line: str) -> Asked:
        """From what was typed. A field said twice counts as said last; an unknown one is text."""
        fields: dict[str, str] = {}
        text: list[str] = []
        for name, quoted, bare, phrase, word in _PART.findall(line):
            if name in FIELDS:
                fields[name] = quoted or bare
            else:
                text.append(f"{name}:{quoted or bare}" if name else phrase or word)
        return cls(fields, " ".join(text))

    def with_field(self, name: str, value: str | None) -> Asked:
        """The same, but for one field; None takes it away."""
        fields = {known: said for known, said in self.fields.items() if known != name}
        return Asked(fields if value is None else {**fields, name: value}, self.text)

    def __str__(self) -> str:
        """As it is typed."""
        said = [f"{name}:{_quoted(value)}" for name, value in self.fields.items()]
        return " ".join([*said, self.text] if self.text else said)


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value or not value else value
