"""Where time, chance and identity come from. Nothing else in the package asks the system for them."""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
from pathlib import Path
from typing import Protocol

MS = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""In microseconds, the unit of all times inside."""

Rng = random.Random
"""A source of chance, handed to whoever needs some."""


class Clock(Protocol):
    """Wall time for people, a steady clock for leases and deadlines, and the boot that it is of. They never mix."""

    def now(self) -> int:
        """Wall time, microseconds since the Unix epoch (UTC). May jump."""
        ...

    def steady(self) -> int:
        """Microseconds of a clock that never jumps and stands still while the host is suspended."""
        ...

    def boot(self) -> str:
        """The boot during which `steady` counts: readings of different boots cannot be compared."""
        ...


class SystemClock:
    """The clock of this host."""

    def __init__(self) -> None:
        self._boot = _boot_id()

    def now(self) -> int:
        return time.time_ns() // 1000

    def steady(self) -> int:
        return time.monotonic_ns() // 1000

    def boot(self) -> str:
        return self._boot


class ManualClock:
    """A clock that only moves when told to: for tests."""

    def __init__(self, now: int = 1_700_000_000 * SECOND) -> None:
        self._now = now
        self._steady = 0
        self._boot = "manual-1"

    def now(self) -> int:
        return self._now

    def steady(self) -> int:
        return self._steady

    def boot(self) -> str:
        return self._boot

    def advance(self, us: int) -> None:
        """Let `us` microseconds pass, on the wall and on the steady clock."""
        self._now += us
        self._steady += us

    def jump(self, us: int) -> None:
        """Set the wall clock forward or back, as an administrator would; the steady clock does not notice."""
        self._now += us

    def reboot(self) -> None:
        """The host starts anew: the steady clock counts from zero under another boot id."""
        self._steady = 0
        self._boot = f"manual-{int(self._boot.rpartition('-')[2]) + 1}"


def _boot_id() -> str:
    """The kernel's id of this boot; where there is none, when the steady clock read zero, to the minute."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"boot-{(time.time_ns() - time.monotonic_ns()) // 60_000_000_000}"


class Ids:
    """Makes job ids (UUIDv7, RFC 9562: milliseconds, a counter, chance) and session ids (128 random bits).

    Job ids of one instance rise strictly, also within a millisecond and across a wall clock that steps back.
    Safe to share between threads; a forked child draws from fresh randomness.
    """

    def __init__(self, clock: Clock | None = None, rng: random.Random | None = None) -> None:
        self._clock = clock or SystemClock()
        self._bits = rng.getrandbits if rng else random.SystemRandom().getrandbits
        self._lock = threading.Lock()
        self._last = 0

    def jobs(self, count: int) -> list[bytes]:
        """`count` new job ids of 16 bytes, rising."""
        with self._lock:
            tick = max((self._clock.now() // 1000) << 12, self._last + 1)
            self._last = tick + count - 1
        tail = (2 << 62) | self._bits(62)
        return [_uuid7(tick + n, tail ^ n) for n in range(count)]

    def job(self) -> bytes:
        """One new job id."""
        return self.jobs(1)[0]

    def session(self) -> bytes:
        """A new session id. Never derived from host, process or name: those repeat."""
        return self._bits(128).to_bytes(16, "big")


def _uuid7(tick: int, tail: int) -> bytes:
    """`tick` is milliseconds << 12 | counter; `tail` the variant and 62 bits of chance."""
    return ((tick >> 12) << 80 | 7 << 76 | (tick & 0xFFF) << 64 | tail).to_bytes(16, "big")


ticks = time.monotonic_ns
"""Nanoseconds, for measuring how long something took: a call is a fraction of what a look at a `Clock` costs."""


def id_at(at: int) -> bytes:
    """The least id that could have been made at this wall time."""
    return (max(0, at) // 1000 << 80).to_bytes(16, "big")


def pause(us: float) -> None:
    """Let the calling thread sleep."""
    time.sleep(us / SECOND)


def jitter() -> random.Random:
    """A source of chance for spreading retries and polls; never for identity."""
    return random.Random(os.urandom(16))


def secret(count: int) -> str:
    """`count` random bytes as text that may stand in a URL: for what nobody may guess."""
    return secrets.token_urlsafe(count)
