"""Which store a command acts on. A URL is enough: user code is imported only when nothing else names the store."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from relet.cli.exits import Exit, Problem
from relet.cli.output import Output
from relet.settings import Settings
from relet.store.port import Store

if TYPE_CHECKING:
    from relet.app import App


@contextmanager
def opened(args: Namespace, out: Output, *, make: bool = False, settings: Settings | None = None) -> Generator[Store]:
    """The store that the flags, the environment, the files or the App name; closed at the end.

    A SQLite file that does not exist is made only with `make`: a mistyped path must not look like an empty store.
    `settings` are those of the command, if it has resolved them already.
    """
    from relet.store.open import open_store

    settings = settings or resolved(args, out)
    if not make:
        _refuse_missing_file(settings)
    store = open_store(settings.url)
    try:
        yield store
    finally:
        store.close()


def resolved(args: Namespace, out: Output) -> Settings:
    """The settings of a command that needs no code: flags, environment, files; then the App's own, if it can be found."""
    settings = Settings.load({"url": args.url, "app": args.app})
    named = settings.source("url") != "default"
    if args.app is None and (named or Path("relet.db").exists()):
        return settings
    if args.app is not None and args.url is not None:
        return settings
    from relet.cli.lookup import find_app

    found = find_app(settings, required=args.app is not None)
    if found is None:
        return settings
    out.say(f"store {found.app.settings.shown_url}: of the App in {found.place} ({found.rule})")
    return found.app.settings


def app_or_store(args: Namespace, out: Output) -> App:
    """The App, where there is one; else one without tasks, at the store that is named."""
    from relet.app import App
    from relet.cli.lookup import find_app

    settings = Settings.load({"url": args.url, "app": args.app})
    found = find_app(settings, required=args.app is not None)
    if found is None:
        app = App(settings=settings)
        _refuse_missing_file(settings)
    else:
        app = found.app
        out.say(f"app {found.place} ({found.rule})")
        if settings.source("url") != "default" or args.url is not None:
            app.settings = app.settings.override({"url": settings.url})
    out.say(f"store {app.settings.shown_url}")
    return app


def _refuse_missing_file(settings: Settings) -> None:
    file = sqlite_file(settings.url)
    if file is None or file.exists():
        return
    raise Problem(
        Exit.UNREACHABLE,
        f"there is no store at {settings.shown_url}",
        f"The file {file} does not exist; the URL came from: {settings.source('url')}.",
        f"Next: {_how_to_make(settings)}",
    )


def _how_to_make(settings: Settings) -> str:
    if settings.source("url") == "default":
        return (
            "name your App: -A module, or the store: --url sqlite:///path.db or RELET_URL; relet init writes a starter."
        )
    return "relet worker, relet enqueue and relet migrate make it; or name another one: --url sqlite:///path.db, or RELET_URL."


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL; None for other engines and for databases in memory."""
    scheme, _, rest = url.partition(":///")
    path = rest.partition("?")[0]
    return Path(path) if scheme.startswith("sqlite") and path and path != ":memory:" else None
