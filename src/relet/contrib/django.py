"""Jobs in a Django project's own database.

    app = App(url("default"))                    # in a module that is imported after settings

    with transaction.atomic():
        order = Order.objects.create(…)
        charge.enqueue(order.id)                 # written, and rolled back, with the order

Nothing has to be registered: an enqueue inside `transaction.atomic()` of the alias whose database is the app's joins that
transaction, and so does `task.options(tx=connection)`. Outside of an atomic block a job is written at once. SQLite files are
opened by the standard library's sqlite3, as Django does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

from django.db import connections  # pyright: ignore[reportMissingTypeStubs]  Django has none

from relet.errors import SettingsError


def url(alias: str = "default") -> str:
    """The store URL of a database of Django's settings. Raises SettingsError where Relet cannot keep jobs in it."""
    connection = cast("Any", connections[alias])
    settings: Mapping[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite+stdlib:///{quote(str(Path(settings['NAME']).absolute()))}"
    if connection.vendor == "postgresql":
        return _postgres(settings)
    raise SettingsError(
        f"Django's database {alias!r} is {connection.vendor}, in which Relet cannot keep jobs. Use SQLite or PostgreSQL, or "
        "give the App a store of its own."
    )


def _postgres(settings: Mapping[str, Any]) -> str:
    """By libpq's words, so that a socket directory as the host needs no care."""
    words = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    said = {word: str(settings[key]) for word, key in words.items() if settings.get(key)}
    return f"postgresql:///{quote(str(settings['NAME']))}?{urlencode(said)}"
