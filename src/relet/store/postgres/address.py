"""A PostgreSQL store URL: what is libpq's, what is ours, and what may be shown.

    postgresql://user:secret@one:5432,two:5432/database?schema=relet&pooler=1&sslmode=verify-full

Ours are `schema` (where the tables live, default `relet`) and `pooler` (1: a transaction-mode pooler is between, 0: there is
none, absent: found out at connect). Everything else is libpq's, its environment variables included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from relet.errors import SettingsError

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,50}")
_OWN = ("schema", "pooler")
_SECRET = ("password", "sslpassword", "passfile", "sslkey", "oauth_client_secret")
_POOLER = {"1": True, "0": False, "": None}
_DEFAULTS = {
    "application_name": "relet",
    "client_encoding": "UTF8",
    "connect_timeout": "5",
    "target_session_attrs": "read-write",
    # A peer that vanishes without a word is noticed by the kernel within 15 s; one that answers but never ends, by us.
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "14000",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is, and how to talk to it."""

    conninfo: str
    """For libpq: with its secrets, never to be shown."""
    shown: str
    """The URL without its secrets."""
    schema: str = "relet"
    pooler: bool | None = None

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises SettingsError for a URL that cannot be meant."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        shown = _shown(url)
        schema, pooler = query.get("schema", "relet"), query.get("pooler", "")
        if not _SCHEMA.fullmatch(schema):
            raise SettingsError(
                f"Store URL {shown}: schema={schema!r} cannot be used. Write small letters, digits and _, 50 at most."
            )
        if pooler not in _POOLER:
            raise SettingsError(
                f"Store URL {shown}: pooler={pooler!r}; use pooler=1 behind a transaction-mode pooler, 0 without."
            )
        rest = urlencode({key: value for key, value in query.items() if key not in _OWN})
        try:
            given = conninfo_to_dict(_written(parts._replace(query=rest)))
        except ProgrammingError as error:
            raise SettingsError(f"Store URL {shown} is not one that PostgreSQL's client library accepts.") from error
        wanted = {**_DEFAULTS, **{key: str(value) for key, value in given.items() if value is not None}}
        return cls(make_conninfo("", **wanted), shown, schema, _POOLER[pooler])


def _shown(url: str) -> str:
    """The URL without what must not be read by others."""
    parts = urlsplit(url)
    credentials, at, hosts = parts.netloc.rpartition("@")
    user = credentials.partition(":")[0]
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in _SECRET]
    return _written(parts._replace(netloc=f"{user}{at}{hosts}", query=urlencode(query)))


def _written(parts: SplitResult) -> str:
    """As urlunsplit, which drops the slashes of an empty host: that is libpq's own default, a socket of this machine."""
    if parts.netloc:
        return urlunsplit(parts)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.path}{query}"
