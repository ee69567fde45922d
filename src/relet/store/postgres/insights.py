"""What PostgreSQL says of itself."""

from __future__ import annotations

from typing import Any

from relet.store.insights import RelationalInsights
from relet.store.postgres.link import PostgresLink

_PROBE = "doctor"
"""A notification with a message that is no session's: it wakes nobody else."""


class PostgresInsights(RelationalInsights):
    """Reading, with the engine's own facts."""

    def __init__(self, link: PostgresLink) -> None:
        super().__init__(link)
        self._postgres = link

    def engine_facts(self) -> dict[str, Any]:
        """engine, version, durable, durability, size_bytes, connections, max_connections, oldest_transaction_us,
        missing_privileges, pooled, and listen: whether a notification reaches this connection."""
        with self._postgres.read() as tx:
            version, commit, fsync, size, most, used, oldest_us = tx.all("engine_facts")[0]
            lacks = [what for (what,) in tx.all("engine_lacks", schema=self._postgres.address.schema)]
        return {
            "engine": "postgresql",
            "version": version,
            "durable": commit != "off" and fsync == "on",
            "durability": f"synchronous_commit = {commit}, fsync = {fsync}",
            "size_bytes": size,
            "connections": used,
            "max_connections": most,
            "oldest_transaction_us": oldest_us,
            "missing_privileges": lacks,
            "pooled": self._postgres.pooled,
            "listen": self._hears(),
        }

    def _hears(self) -> bool:
        link = self._postgres
        if not link.listen():
            return False
        link.take_notified()
        channel = f"relet_{link.address.schema}"
        with link.translated():
            link.wire.command(f"notify \"{channel}\", '{_PROBE}'".encode())
        return link.take_notified()
