"""What the demo shows: a screen that is drawn anew, lines where there is no terminal, or JSON events."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from relet.cli.output import Output
from relet.cli.safe import safe
from relet.clock import SECOND, SystemClock

WIDTH = 44
LINE_EVERY_US = 2 * SECOND


@dataclass
class Stage:
    """Tells of events and progress, each in the form that suits where it goes."""

    out: Output
    live: bool
    """Draw on a terminal."""
    clock: SystemClock = field(default_factory=SystemClock)
    began: int = 0
    _drawn: int = 0
    _said_at: int = 0
    _recent: deque[str] = field(default_factory=lambda: deque(maxlen=7))

    def __post_init__(self) -> None:
        self.began = self.clock.steady()

    @property
    def elapsed(self) -> float:
        """Seconds since the curtain rose."""
        return (self.clock.steady() - self.began) / SECOND

    def tell(self, event: str, sentence: str, **facts: Any) -> None:
        """Something happened."""
        if self.out.form == "jsonl":
            self._json({"event": event, "at": round(self.elapsed, 3), **facts})
        elif self.live:
            self._recent.append(f"{self.elapsed:6.1f}s  {safe(sentence)}")
        else:
            self.out.say(f"{self.elapsed:6.1f}s  {sentence}")

    def progress(self, done: int, total: int, workers: Mapping[str, str], **counts: int) -> None:
        """How far it is. Lines come every two seconds, a screen is drawn each time."""
        now = self.clock.steady()
        if self.live:
            self._draw(done, total, workers, counts)
        elif now - self._said_at >= LINE_EVERY_US:
            self._said_at = now
            self.tell(
                "progress",
                f"{_bar(done, total, 20)} {done:,} of {total:,} jobs · "
                + " · ".join(f"{name} {state}" for name, state in workers.items()),
                done=done,
                total=total,
                workers=dict(workers),
                **counts,
            )

    def _draw(self, done: int, total: int, workers: Mapping[str, str], counts: Mapping[str, int]) -> None:
        facts = " · ".join(f"{count:,} {word}" for word, count in counts.items())
        lines = [
            f"{_bar(done, total, WIDTH)} {done:,} of {total:,} jobs",
            f"  {facts}",
            *(f"  worker {name}  {state}" for name, state in workers.items()),
            *self._recent,
        ]
        back = f"\x1b[{self._drawn}A" if self._drawn else ""
        self.out.stderr.write(back + "".join(f"\x1b[2K{line}\n" for line in lines))
        self.out.stderr.flush()
        self._drawn = max(self._drawn, len(lines))
        if len(lines) < self._drawn:
            self.out.stderr.write("\x1b[2K\n" * (self._drawn - len(lines)))

    def close(self, proof: Mapping[str, Any], lines: list[str]) -> None:
        """The last word: data, on stdout."""
        if self.out.form == "jsonl":
            self._json({"event": "proof", "at": round(self.elapsed, 3), **proof})
        else:
            for line in lines:
                self.out.line(safe(line))

    def _json(self, record: Mapping[str, Any]) -> None:
        self.out.line(json.dumps(record, ensure_ascii=True))
        self.out.flush()


def _bar(done: int, total: int, width: int) -> str:
    full = width * done // max(total, 1)
    return "█" * full + "░" * (width - full)
