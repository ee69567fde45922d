"""`relet web`: the HTTP API and the dashboard."""

from __future__ import annotations

from argparse import Namespace
from importlib.util import find_spec

from relet.cli.exits import Exit, Problem
from relet.cli.output import Output
from relet.cli.parser import Parser, add_store_flags, add_talk_flags
from relet.cli.worker import logging_to

NEEDED = ("starlette", "uvicorn", "jinja2", "prometheus_client")


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this host alone)")
    parser.add_argument("--port", type=_port, default=8700, help="port to listen on (8700); 0: any that is free")
    parser.add_argument(
        "--auth",
        choices=("auto", "on", "off"),
        default="auto",
        help="who has to sign in: nobody on loopback, everybody elsewhere (auto); everybody (on); nobody (off)",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="also answer to this name, where nobody has to sign in; may be repeated",
    )
    add_store_flags(parser)
    add_talk_flags(parser.add_argument_group("output"))


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        from argparse import ArgumentTypeError

        raise ArgumentTypeError(f"{text!r} is not a port, from 0 to 65535")
    return int(text)


def run(args: Namespace, out: Output) -> int:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise Problem(
            Exit.USAGE,
            f"the web server needs {', '.join(missing)}",
            "Relet's base install has no web server; nothing was started.",
            "Next: pip install 'relet[web]'",
        )
    from relet.cli.target import app_or_store
    from relet.web.serve import place_of, serve

    place = place_of(args.host, args.port, args.auth, args.allow_host)
    app = app_or_store(args, out)
    with logging_to(app.settings, out) as edge:
        try:
            serve(app.open(), place, edge, out.say)
        finally:
            app.close()
    return Exit.OK
