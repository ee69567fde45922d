"""What steering needs of an app, whatever is steered."""

from __future__ import annotations

from typing import Protocol

from relet.store.shared import SharedStore


class Steered(Protocol):
    """An app that somebody steers."""

    @property
    def shared(self) -> SharedStore:
        """The store."""
        ...

    def who(self, by: str) -> str:
        """The name under which a person acts."""
        ...
