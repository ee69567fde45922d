"""A receiver of webhooks on this host: a real server that answers as the test says, well or badly."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Self


class Received(NamedTuple):
    """One message that came in."""

    path: str
    headers: dict[str, str]
    body: bytes


Reply = Callable[[socket.socket, int], None]
"""What to answer to the connection's message; how many came before it is given, too."""


def status(code: int, *headers: str, text: str = "") -> Reply:
    """An ordinary answer."""

    def reply(connection: socket.socket, _: int) -> None:
        lines = (f"HTTP/1.1 {code} Said", f"content-length: {len(text)}", *headers, "", text)
        connection.sendall("\r\n".join(lines).encode())

    return reply


def first(code: int, *headers: str, times: int = 1) -> Reply:
    """So often this answer, then 200."""
    return lambda connection, before: status(*((code, *headers) if before < times else (200,)))(connection, before)


def silent(connection: socket.socket, _: int) -> None:
    """No answer, until the other side hangs up."""
    with suppress(OSError):
        connection.recv(1)


def dripping(start: bytes, drop: bytes) -> Reply:
    """A beginning, and then a drop from time to time, for ever."""

    def reply(connection: socket.socket, _: int) -> None:
        with suppress(OSError):
            connection.sendall(start)
            while True:
                connection.sendall(drop)
                time.sleep(0.02)

    return reply


class Receiver:
    """Listens while its block runs."""

    def __init__(self, reply: Reply | None = None, host: str = "127.0.0.1") -> None:
        self.reply = reply or status(200)
        self.received: list[Received] = []
        self.connections = 0
        self._socket = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._open: set[socket.socket] = set()
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/hook"

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        with connection, suppress(OSError, ValueError), connection.makefile("rb") as file:  # it may speak no HTTP
            _, path, _ = file.readline().split()
            headers = dict(_headers(file.readline))
            body = file.read(int(headers.get("content-length", "0")))
            before = len(self.received)
            self.received.append(Received(path.decode(), headers, body))
            self.reply(connection, before)
        self._open.discard(connection)


def _headers(readline: Callable[[], bytes]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while line := readline().strip():
        name, _, value = line.decode().partition(":")
        found.append((name.lower(), value.strip()))
    return found
