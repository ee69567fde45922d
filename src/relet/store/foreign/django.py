"""Django's connections: the driver's own connection below them, and the one in whose atomic block we are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from relet.errors import UsageError
from relet.store.foreign.place import Place


def driver_connection(wrapper: Any) -> object:
    """What Django's connection works on, connected."""
    wrapper.ensure_connection()
    raw: object = wrapper.connection
    if type(raw).__module__.partition(".")[0] in ("psycopg", "sqlite3"):
        return raw
    raise UsageError(
        f"Django's connection {wrapper.alias!r} works by {type(raw).__module__}; Relet can write in its transactions by "
        "psycopg 3 or sqlite3. Install psycopg 3, which Django prefers when it finds it."
    )


def open_atomic(place: Callable[[], Place]) -> object | None:
    """The connection whose `transaction.atomic()` this thread is in, if its database is the app's; None otherwise.

    Cheap where Django is not used: `place` is asked only inside of an atomic block.
    """
    db = sys.modules.get("django.db")
    conf = sys.modules.get("django.conf")
    if db is None or conf is None or not conf.settings.configured:
        return None
    for alias in db.connections:
        wrapper = db.connections[alias]
        if wrapper.in_atomic_block and place().is_django(wrapper.vendor, wrapper.settings_dict):
            return wrapper
    return None
