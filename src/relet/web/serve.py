"""The web server of `relet web`: where it listens, who may come in, and what it says about both."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import uvicorn

from relet.app import App
from relet.clock import SECOND
from relet.errors import Refused, StoreUnavailable
from relet.events import Emitter
from relet.web import tokens
from relet.web.site import make_site
from relet.web.visitor import Role

LOOPBACK = ("localhost", "127.0.0.1", "::1")
DRAIN_S = 10
BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen, and how people get in."""

    host: str
    port: int
    sign_in: bool
    """Whether people have to say who they are."""
    allowed: Sequence[str] = ()
    """Further names by which the server may be asked."""


def place_of(host: str, port: int, auth: str, allowed: Sequence[str] = ()) -> Place:
    """Where to listen. `auth`: "auto" asks nobody on loopback, and everybody elsewhere; "on"; "off", on loopback alone.

    Raises Refused for a public address without a sign-in.
    """
    public = not is_loopback(host)
    if auth == "off" and public:
        raise Refused(
            f"{host} can be reached from elsewhere, and without a sign-in everybody there could run and delete your jobs. "
            "Nothing was started. Leave out --auth off, or listen on 127.0.0.1 behind a proxy that asks people who they are."
        )
    return Place(host, port, auth == "on" or public, allowed)


def is_loopback(host: str) -> bool:
    """Whether only this host can reach it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve(app: App, place: Place, emit: Emitter, say: Callable[[str], None]) -> None:
    """Serve until told to stop. `say` is told where, and by which link to sign in.

    Raises StoreUnavailable if the port is taken."""
    hosts = () if place.sign_in else (*LOOPBACK, *place.allowed)
    site = make_site(app, open_to_all=not place.sign_in, hosts=hosts, emit=emit)
    listening = _listen(place)
    port = listening.getsockname()[1]
    shown = f"[{place.host}]" if ":" in place.host else place.host
    root = f"http://{'localhost' if place.host in ('0.0.0.0', '::') else shown}:{port}"
    say(f"serving {root}/admin/workers")
    if place.sign_in:
        with app.shared.use() as store:
            link = tokens.make_link(store, Role.ADMIN, "the link at the start")
        say(
            f"sign in once, within {tokens.LINK_LASTS_US // (60 * SECOND)} minutes: {root}/sign-in/link?code={link.text}"
        )
    config = uvicorn.Config(
        site.asgi,
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=DRAIN_S,
        server_header=False,
    )
    _Server(config, site.probes.drain).run([listening])


class _Server(uvicorn.Server):
    """Tells the site as soon as it is to stop: streams that never end by themselves are ended then."""

    def __init__(self, config: uvicorn.Config, when_stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_stopping = when_stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._when_stopping()
        await super().shutdown(sockets)


def _listen(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((place.host, place.port))
        listening.listen(BACKLOG)  # whoever reads that we serve may come at once
    except OSError as error:
        listening.close()
        raise StoreUnavailable(
            f"Cannot listen on {place.host}:{place.port}: {error.strerror or error}. Nothing was started. "
            "Choose another port with --port, or 0 for any that is free."
        ) from None
    return listening
