"""What SQLite says of itself."""

from __future__ import annotations

from typing import Any

from relet.store.insights import RelationalInsights
from relet.store.sqlite.link import SqliteLink

_SYNCHRONOUS = ("off", "normal", "full", "extra")


class SqliteInsights(RelationalInsights):
    """Reading, with the engine's own facts."""

    def __init__(self, link: SqliteLink) -> None:
        super().__init__(link)
        self._sqlite = link

    def engine_facts(self) -> dict[str, Any]:
        """engine, version of its library, durable, durability, size_bytes."""
        mode, level = self._pragma("journal_mode"), int(self._pragma("synchronous"))
        in_memory = mode == "memory"
        return {
            "engine": "sqlite",
            "version": ".".join(map(str, self._sqlite.driver.library)),
            "durable": level >= _SYNCHRONOUS.index("full") and not in_memory,
            "durability": "in memory" if in_memory else f"journal_mode = {mode}, synchronous = {_SYNCHRONOUS[level]}",
            "size_bytes": int(self._pragma("page_count")) * int(self._pragma("page_size")),
        }

    def _pragma(self, name: str) -> Any:
        return self._sqlite.driver.execute(f"pragma {name}")[0][0]
