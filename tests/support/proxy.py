"""A proxy between a client and PostgreSQL that knows where one protocol message ends and the next begins.

    with PostgresProxy(pg.url(name)) as proxy:
        proxy.trap(BACKEND, kind=b"C", containing=b"COMMIT")   # the reply to the next commit never arrives
        with pytest.raises(OperationalError):
            commit(proxy.url)

A trap goes off once, at the n-th message of a direction that matches, on whatever connection it comes: before the
message is passed on, or after; it cuts that connection, fails it (a fatal error, then the end: as a pooler does whose
server has gone), or makes the proxy a black hole, which keeps connections open and passes nothing. Requests for TLS are
answered with no, for the messages must be readable.

Kinds are the type bytes of the protocol (https://www.postgresql.org/docs/current/protocol-message-formats.html);
the client's first message has none and is written b"".
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

Direction = Literal["frontend", "backend"]
FRONTEND: Direction = "frontend"
BACKEND: Direction = "backend"

_SSL_REQUEST, _GSS_REQUEST = 80877103, 80877104
_CHUNK = 65536
_FATAL = b"SFATAL\0VFATAL\0C08P01\0Mserver conn crashed?\0\0"


@dataclass(frozen=True)
class Message:
    """One protocol message: its type byte (b"" for a start-up) and all its bytes."""

    direction: Direction
    kind: bytes
    raw: bytes


@dataclass
class Trap:
    """What happens at the `nth` matching message; `sprung` is set when it has."""

    direction: Direction
    nth: int
    kind: bytes | None
    containing: bytes
    when: Literal["before", "after"]
    action: Literal["cut", "fail", "blackhole"]
    sprung: threading.Event = field(default_factory=threading.Event)

    def matches(self, message: Message) -> bool:
        """Whether this is a message that the trap counts."""
        return (
            message.direction == self.direction and self.kind in (None, message.kind) and self.containing in message.raw
        )


class PostgresProxy:
    """Listens on a free port of loopback and passes on to the server of `target_url`."""

    def __init__(self, target_url: str) -> None:
        target = urlsplit(target_url)
        self._target = (target.hostname or "127.0.0.1", target.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        user = target.netloc.rpartition("@")[0]
        self.url = urlunsplit(target._replace(netloc=f"{user}@127.0.0.1:{self.port}" if user else f":{self.port}"))
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
        self._refusing = False
        self._traps: list[Trap] = []
        self._kinds: dict[Direction, list[bytes]] = {FRONTEND: [], BACKEND: []}
        self._connections: list[_Connection] = []
        self._acceptor = threading.Thread(target=self._accept, name="proxy-accept", daemon=True)
        self._acceptor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def trap(
        self,
        direction: Direction,
        nth: int = 1,
        *,
        kind: bytes | None = None,
        containing: bytes = b"",
        when: Literal["before", "after"] = "before",
        action: Literal["cut", "fail", "blackhole"] = "cut",
    ) -> Trap:
        """Lay a trap for the nth matching message from now on."""
        trap = Trap(direction, nth, kind, containing, when, action)
        with self._lock:
            self._traps.append(trap)
        return trap

    def cut(self) -> None:
        """Cut every connection that stands now; new ones are welcome."""
        for connection in self._standing():
            connection.cut()

    def refuse(self) -> None:
        """Cut every connection, and end new ones at once, until `restore`."""
        self._refusing = True
        self.cut()

    def blackhole(self) -> None:
        """Pass nothing on and close nothing until `restore`; what comes meanwhile is kept."""
        self._flowing.clear()

    def restore(self) -> None:
        """Pass everything on again, what was kept first, and take away the traps that did not go off."""
        with self._lock:
            self._traps.clear()
        self._refusing = False
        self._flowing.set()

    def kinds(self, direction: Direction) -> list[bytes]:
        """The kinds of all messages that came from this side since the start or `forget`, in order."""
        with self._lock:
            return list(self._kinds[direction])

    def forget(self) -> None:
        """Begin to count anew."""
        with self._lock:
            for kinds in self._kinds.values():
                kinds.clear()

    def close(self) -> None:
        """End the proxy and every connection through it."""
        self._refusing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self._acceptor.join(5)
        for connection in self._standing():
            connection.close()
        self._flowing.set()
        for connection in self._standing():
            connection.join()

    def _standing(self) -> "list[_Connection]":
        with self._lock:
            return list(self._connections)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._refusing:
                    client.close()
                    continue
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target, timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        connection = _Connection(self, client, server)
        with self._lock:
            self._connections = [one for one in self._connections if one.alive()]
            self._connections.append(connection)
        connection.start()

    def note(self, message: Message) -> Trap | None:
        """Count a message, and say which trap it springs."""
        with self._lock:
            self._kinds[message.direction].append(message.kind)
            for trap in self._traps:
                if trap.matches(message):
                    trap.nth -= 1
                    if trap.nth == 0:
                        self._traps.remove(trap)
                        return trap
        return None

    def await_flow(self) -> None:
        """Wait while the proxy is a black hole."""
        self._flowing.wait()


class _Connection:
    """One client, one server, and a thread for each direction."""

    def __init__(self, proxy: PostgresProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client, self._server = client, server
        self._is_cut = False
        self._lock = threading.Lock()
        self._open_directions = 2
        self._threads = [
            threading.Thread(target=self._carry, args=(FRONTEND, client, server), name="proxy-up", daemon=True),
            threading.Thread(target=self._carry, args=(BACKEND, server, client), name="proxy-down", daemon=True),
        ]
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(5)

    def cut(self) -> None:
        """Both sides see the end of the stream after what was sent; what they still send is thrown away.

        A plain close would answer unread bytes with a reset, and a reset can destroy what was delivered before.
        """
        self._is_cut = True
        for side in (self._client, self._server):
            _quietly(side, socket.SHUT_WR)

    def close(self) -> None:
        self._is_cut = True
        for side in (self._client, self._server):
            _quietly(side, socket.SHUT_RDWR)

    def _carry(self, direction: Direction, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for batch in _messages(direction, source):
                self._proxy.await_flow()
                self._pass_on(batch, sink)
        if not self._is_cut:
            _quietly(sink, socket.SHUT_WR)
        with self._lock:
            self._open_directions -= 1
            if not self._open_directions:
                self._client.close()
                self._server.close()

    def _pass_on(self, batch: list[Message], sink: socket.socket) -> None:
        """Send the messages of one read together, parted only where a trap is sprung."""
        ready = bytearray()
        for message in batch:
            trap = self._proxy.note(message)
            if trap is None or trap.when == "after":
                ready += message.raw
            if trap is None:
                continue
            self._stop(trap)  # before the last message goes out: else its answer might come through in between
            with contextlib.suppress(OSError):  # the other side may have gone: the trap is sprung all the same
                sink.sendall(ready)
            ready.clear()
            self._spring(trap)
            if trap.when == "before":
                ready += message.raw
        self._send(ready, sink)

    def _stop(self, trap: Trap) -> None:
        """Nothing more passes, in any direction."""
        if trap.action in ("cut", "fail"):
            self._is_cut = True
        else:
            self._proxy.blackhole()

    def _spring(self, trap: Trap) -> None:
        """Nothing passes any more when `sprung` is set, and it is set before anybody can have noticed."""
        trap.sprung.set()
        if trap.action in ("cut", "fail"):
            if trap.action == "fail":
                self._client.sendall(b"E" + struct.pack("!I", 4 + len(_FATAL)) + _FATAL)
            self.cut()
        else:
            self._proxy.await_flow()

    def _send(self, data: bytearray, sink: socket.socket) -> None:
        if data and not self._is_cut:
            sink.sendall(data)


def _messages(direction: Direction, source: socket.socket) -> Iterator[list[Message]]:
    """What comes from a socket, as messages: for each read those that are complete, until the stream ends."""
    if direction == FRONTEND:
        start = _start_up(source)
        if start is None:
            return
        yield [start]
    unread = bytearray()
    while chunk := source.recv(_CHUNK):
        unread += chunk
        batch, taken = [], 0
        while len(unread) - taken >= 5:
            (length,) = struct.unpack_from("!I", unread, taken + 1)
            end = taken + 1 + length
            if end > len(unread):
                break
            batch.append(Message(direction, bytes(unread[taken : taken + 1]), bytes(unread[taken:end])))
            taken = end
        del unread[:taken]
        if batch:
            yield batch


def _start_up(source: socket.socket) -> Message | None:
    """The client's first message, which has no type byte; requests to encrypt are declined here."""
    while head := source.recv(8, socket.MSG_WAITALL):
        length, code = struct.unpack("!II", head)
        if code in (_SSL_REQUEST, _GSS_REQUEST):
            source.sendall(b"N")
            continue
        rest = source.recv(length - 8, socket.MSG_WAITALL) if length > 8 else b""
        return Message(FRONTEND, b"", head + rest)
    return None


def _quietly(side: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):
        side.shutdown(how)
