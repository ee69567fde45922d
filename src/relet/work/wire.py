"""What a worker and its child processes tell each other: frames of JSON over a socket, four bytes of length before each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from socket import socket

import msgspec

from relet.job.job import Claim
from relet.job.outcome import Ended, Outcome
from relet.job.settlement import Answer
from relet.store.records import LimitPause, LogLine, Note, Progress, QueuePause, Usage
from relet.work.notebook import LineKey

MOST_BYTES = 256 * 1024 * 1024
"""A longer frame is none: someone else wrote to the socket."""


class Begin(msgspec.Struct, tag="begin"):
    """To the child: run this."""

    claim: Claim
    module: str
    qualname: str
    worker: str
    session_id: bytes
    lease_left_us: int
    url: str


class Halt(msgspec.Struct, tag="halt"):
    """To the child: end what you run. It is told again by a signal."""

    ended: Ended
    reason: str
    lost: bool


class Lease(msgspec.Struct, tag="lease"):
    """To the child: the lease may be trusted for so long from now on."""

    left_us: int


class Leave(msgspec.Struct, tag="leave"):
    """To the child: finish what you are at, and end then."""

    reason: str


ToChild = Begin | Halt | Lease | Leave


class Begun(msgspec.Struct, tag="begun"):
    """From the child: its module is imported, the body begins."""


class Pass(msgspec.Struct, tag="pass"):
    """From the child: a pass of a continuous run begins, or has ended well."""

    begins: bool


class Said(msgspec.Struct, tag="said"):
    """From the child: a note of the task."""

    progress: Progress | None = None
    log: LogLine | None = None
    usage: Usage | None = None
    pause: QueuePause | None = None
    limit_pause: LimitPause | None = None

    def note(self) -> Note:
        """The note."""
        note = self.progress or self.log or self.usage or self.pause or self.limit_pause
        assert note is not None
        return note


class Done(msgspec.Struct, tag="done"):
    """From the child: the run has come to this."""

    ended: Ended
    result: str | None
    error: str
    stack: str
    delay_us: int | None
    retryable: bool
    answer: Answer | None
    """Set when it was settled together with its effects."""
    clean: bool
    """Nothing of it is left in the process: another job may run there."""
    spares: tuple[str, ...] = ()
    committed: tuple[tuple[str, int], ...] = ()
    """Kind and number of the lines that were written together with its effects."""
    breaker: str | None = None

    @classmethod
    def of(cls, outcome: Outcome, answer: Answer | None, committed: Iterable[LineKey] = (), *, clean: bool) -> Done:
        """The message for an outcome."""
        return cls(
            outcome.ended,
            outcome.result,
            outcome.error,
            outcome.stack,
            outcome.delay_us,
            outcome.retryable,
            answer,
            clean,
            outcome.spares,
            tuple((kind, n) for _, _, kind, n in committed),
            outcome.breaker,
        )

    @property
    def outcome(self) -> Outcome:
        """The outcome that was sent."""
        return Outcome(
            self.ended,
            self.result,
            self.error,
            self.stack,
            self.delay_us,
            self.retryable,
            self.spares,
            self.breaker,
        )


FromChild = Begun | Pass | Said | Done

_encoder = msgspec.json.Encoder()
to_child: msgspec.json.Decoder[ToChild] = msgspec.json.Decoder(ToChild)
from_child: msgspec.json.Decoder[FromChild] = msgspec.json.Decoder(FromChild)


def frame(message: ToChild | FromChild) -> bytes:
    """The message as it goes over the socket."""
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


def said(note: Note) -> Said:
    """The message for a note."""
    match note:
        case Progress():
            return Said(progress=note)
        case LogLine():
            return Said(log=note)
        case QueuePause():
            return Said(pause=note)
        case LimitPause():
            return Said(limit_pause=note)
        case _:
            return Said(usage=note)


class Frames:
    """Bytes as they arrive, cut into frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that are complete now. Raises ValueError for what cannot be one."""
        self._bytes += data
        while len(self._bytes) >= 4:
            size = int.from_bytes(self._bytes[:4], "big")
            if size > MOST_BYTES:
                raise ValueError("not a frame")
            if len(self._bytes) < 4 + size:
                return
            body = bytes(self._bytes[4 : 4 + size])
            del self._bytes[: 4 + size]
            yield body


def read(line: socket, frames: Frames) -> Iterator[bytes]:
    """Frames from a blocking socket until the other side closes it."""
    while data := line.recv(65536):
        yield from frames.feed(data)
