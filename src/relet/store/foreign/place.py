"""Where the app's store is, so far as a foreign connection has to be at the same place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from relet.store.foreign.connection import Engine

_HERE = frozenset({"", "localhost", "127.0.0.1", "::1"})


class Place:
    """What a store URL says: the engine, the library that opens it, the file or the database."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.engine: Engine = "sqlite" if parts.scheme.startswith("sqlite") else "postgres"
        self.shares_stdlib = parts.scheme == "sqlite+stdlib"
        """Whether the application may open the file by its own sqlite3."""
        self.url = url
        path = parts.path.removeprefix("/")
        self._path = path if self.engine == "sqlite" else unquote(path)
        """A file's name stands in the URL as it is; a database's name may be percent-encoded."""

    @property
    def in_memory(self) -> bool:
        """A SQLite database without a file."""
        return self.engine == "sqlite" and self._path == ":memory:"

    def is_file(self, databases: Iterable[Iterable[Any]]) -> bool:
        """Whether the main database, of what `pragma database_list` says, is the store's file."""
        return any(name == "main" and self._is_path(str(file)) for _, name, file in databases)

    def is_django(self, vendor: str, settings: Mapping[str, Any]) -> bool:
        """Whether a database of Django's settings is the store's."""
        if self.engine == "sqlite":
            return vendor == "sqlite" and self.shares_stdlib and self._is_path(str(settings["NAME"]))
        return vendor == "postgresql" and self._is_database(settings)

    def _is_path(self, file: str) -> bool:
        try:
            return bool(file) and Path(file).samefile(self._path)
        except OSError:
            return False

    def _is_database(self, settings: Mapping[str, Any]) -> bool:
        name, servers = _servers(self.url)
        server = _host(str(settings.get("HOST") or "")), str(settings.get("PORT") or "5432")
        return settings["NAME"] == name and server in servers


def _servers(url: str) -> tuple[str, set[tuple[str, str]]]:
    """The database that a PostgreSQL URL names, and (host, port) of each of its servers."""
    from psycopg.conninfo import conninfo_to_dict

    from relet.store.postgres.address import Address

    said = conninfo_to_dict(Address.parse(url).conninfo)
    hosts = str(said.get("host", "")).split(",")
    ports = str(said.get("port", "5432")).split(",")
    ports = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
    return str(said.get("dbname", "")), {(_host(host), port) for host, port in zip(hosts, ports, strict=True)}


def _host(host: str) -> str:
    return "localhost" if host in _HERE else host.lower()
