"""Sends a message: one POST, to an address that may be reached, within a time and a size.

Whoever names an address must not reach into this network by it. So the very address that is connected to is checked, after the
name was looked up; redirects are not followed, and no proxy of the environment is asked.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, NamedTuple, cast

import httpcore2

from relet import __version__
from relet.clock import SECOND, Clock
from relet.job.address import may_be_reached
from relet.job.textsafe import describe

ANSWER_BYTES = 64 * 1024
"""So much of an answer is read at most."""
_LINGER_S = 2.0
"""How long the body of an answer is waited for: its status says it all."""


class Answer(NamedTuple):
    """What came of a POST."""

    took_us: int
    status: int | None
    """None: there was no answer."""
    text: str = ""
    retry_after: str = ""
    error: str = ""
    """Empty: the message has arrived."""


class Unreachable(Exception):
    """The name leads to no address that messages may be sent to."""


class Guarded(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that may be reached, and to no others."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = allowed
        self._streams: list[httpcore2.AsyncNetworkStream] = []
        self._backend = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """To the first address of the host that may be reached and answers."""
        found = await self._addresses(host, port)
        allowed = [address for address in found if may_be_reached(address, self._allowed)]
        if not allowed:
            raise Unreachable(f"{host} is {', '.join(found[:3])}, and no message is sent there; see webhook_allow")
        for address in allowed[:-1]:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return self._kept(
                    await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
                )
        return self._kept(await self._backend.connect_tcp(allowed[-1], port, timeout, local_address, socket_options))

    def _kept(self, stream: httpcore2.AsyncNetworkStream) -> httpcore2.AsyncNetworkStream:
        self._streams.append(stream)
        return stream

    async def aclose(self) -> None:
        """Close what was opened: a handshake that was given up leaves its connection open."""
        for stream in self._streams:
            with suppress(Exception):
                await stream.aclose()

    @staticmethod
    async def _addresses(host: str, port: int) -> list[str]:
        try:
            rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"{host} was not found: {error}") from error
        return list(dict.fromkeys(str(row[4][0]) for row in rows))


class Post:
    """Sends messages, each over a connection of its own: so each name is looked up and checked anew."""

    def __init__(self, allowed: Sequence[str], timeout_us: int, clock: Clock) -> None:
        self._allowed = allowed
        self._timeout_us = timeout_us
        self._clock = clock
        self._tls: ssl.SSLContext | None = None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST it. Whatever happens is in the answer; nothing is raised."""
        began = self._clock.steady()
        heard: list[httpcore2.Response] = []
        text = error = ""
        guarded = Guarded(self._allowed)
        try:
            async with asyncio.timeout(self._timeout_us / SECOND):
                text = await self._exchange(guarded, url, headers, body, heard)
        except TimeoutError:
            error = "" if heard else f"no answer within {self._timeout_us // SECOND} s"
        except Exception as failure:  # noqa: BLE001  whatever the other side does
            error = "" if heard else describe(failure, 500)
        finally:
            await guarded.aclose()
        took_us = self._clock.steady() - began
        if not heard:
            return Answer(took_us, None, error=error)
        return _judged(took_us, heard[0], text)

    async def _exchange(
        self, guarded: Guarded, url: str, headers: Mapping[str, str], body: bytes, heard: list[httpcore2.Response]
    ) -> str:
        pool = httpcore2.AsyncConnectionPool(ssl_context=self._context(), max_connections=1, network_backend=guarded)
        wanted = {"user-agent": f"relet/{__version__}", "accept": "*/*", "connection": "close", **headers}
        async with pool, pool.stream("POST", url, headers=list(_encoded(wanted)), content=body) as response:
            heard.append(response)
            return await _beginning(response)

    def _context(self) -> ssl.SSLContext:
        self._tls = self._tls or ssl.create_default_context()
        return self._tls


def _encoded(headers: Mapping[str, str]) -> Iterable[tuple[bytes, bytes]]:
    return ((name.encode("ascii"), value.encode("ascii")) for name, value in headers.items())


async def _beginning(response: httpcore2.Response) -> str:
    """How the answer begins. It is not unpacked, whatever it says of itself, and not waited for for long."""
    parts = bytearray()
    with suppress(TimeoutError, httpcore2.ReadError, httpcore2.RemoteProtocolError):
        async with asyncio.timeout(_LINGER_S):
            async with aclosing(response.aiter_stream()) as stream:
                async for part in stream:
                    parts += part
                    if len(parts) >= ANSWER_BYTES:
                        break
    return bytes(parts[:ANSWER_BYTES]).decode(errors="replace")


def _judged(took_us: int, response: httpcore2.Response, text: str) -> Answer:
    said = {name.lower(): value.decode("latin-1") for name, value in response.headers}
    status = response.status
    error = "" if 200 <= status < 300 else f"answered {status}"
    if 300 <= status < 400:
        error = f"answered {status}: redirects are not followed"
    return Answer(took_us, status, text, said.get(b"retry-after", ""), error)
