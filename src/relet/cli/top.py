"""`relet top`: watch it live. Full screen on a terminal, one plain picture elsewhere; `--jsonl` is a stream."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from relet.cli import status
from relet.cli.choose import operator
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags, add_store_flags
from relet.cli.safe import safe
from relet.cli.screen import Screen, can_draw, taken
from relet.cli.table import laid_out
from relet.cli.target import opened
from relet.cli.views import BY_LETTER, VIEWS, Row, View
from relet.clock import SECOND, Clock, SystemClock, pause
from relet.errors import ReletError, StoreError
from relet.job.duration import to_us
from relet.overview import gather
from relet.shapes.records import time_text
from relet.shapes.schema import StatusOut
from relet.store.port import Store
from relet.store.records import uuid_of

GRACE_US = 20 * SECOND
_HELP = (
    "g o  overview      g j  jobs       g q  queues",
    "g w  workers       g l  leases     g d  dead letters",
    "g r  routines and schedules",
    "j k  move          p  pause/resume the picture",
    "c  cancel the job  r  retry the dead letter  e  resolve it",
    "?  this help       q  quit",
)


@dataclass
class Picture:
    """What is on the screen, and what the next key means."""

    view: View = VIEWS[0]
    rows: Sequence[Row] = field(default_factory=list[Row])
    now: int = 0
    chosen: int = 0
    going: bool = False
    """A `g` was pressed: the next letter names a view."""
    asking: str = ""
    """An action that waits for `y`."""
    paused: bool = False
    help: bool = False
    said: str = ""


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.add_argument("--interval", default="1s", metavar="DURATION", help="between two pictures (1s)")
    parser.add_argument("--once", action="store_true", help="one picture, and end")
    add_store_flags(parser)
    add_output_flags(parser)


def run(args: Namespace, out: Output) -> int:
    interval_us = max(to_us(args.interval, name="--interval"), SECOND // 10)
    with opened(args, out) as store:
        if out.form == "text" and not args.once and can_draw(out.stdin, out.stdout):
            with taken(out.stdin, out.stdout) as screen:
                Watch(store, screen, out, interval_us, SystemClock()).run()
        else:
            _plain(store, out, interval_us, stream=out.form == "jsonl" and not args.once)
    return Exit.OK


def _plain(store: Store, out: Output, interval_us: int, *, stream: bool) -> None:
    while True:
        found = gather(store)
        out.record(found, lambda found=found: status.lines(found, out))
        out.flush()
        if not stream:
            return
        pause(interval_us)


class Watch:
    """The loop: read, draw, wait for a key."""

    def __init__(self, store: Store, screen: Screen, out: Output, interval_us: int, clock: Clock) -> None:
        self._store = store
        self._screen = screen
        self._out = out
        self._interval_us = interval_us
        self._clock = clock
        self.picture = Picture()

    def run(self) -> None:
        """Until `q`."""
        due = 0
        while True:
            if self._clock.steady() >= due and not self.picture.paused:
                self._read()
                due = self._clock.steady() + self._interval_us
            self._screen.draw(list(self._frame()))
            key = self._screen.key((due - self._clock.steady()) / SECOND if not self.picture.paused else 3600)
            if key == "q" and not self.picture.going:
                return
            if key is not None:
                due = 0 if self._press(key) else due

    def _read(self) -> None:
        """The next rows; when the store does not answer, the old ones stay and that is said."""
        try:
            self.picture.now = self._store.now()
            self.picture.rows = self.picture.view.rows(self._store)
            self.picture.said = ""
        except StoreError as error:
            self.picture.said = safe(str(error).partition(". ")[0])

    # ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def _press(self, key: str) -> bool:
        """True: read anew at once."""
        picture = self.picture
        if picture.going:
            picture.going = False
            return self._go(key)
        if picture.asking:
            asked, picture.asking = picture.asking, ""
            return key == "y" and self._act(asked)
        if key in ("j", "down", "k", "up", "page down", "page up"):
            step = {"j": 1, "down": 1, "k": -1, "up": -1, "page down": 20, "page up": -20}[key]
            picture.chosen = max(0, min(len(picture.rows) - 1, picture.chosen + step))
        elif key in ("c", "r", "e") and self._chosen_id():
            picture.asking = {"c": "cancel", "r": "retry", "e": "resolve"}[key]
        picture.going = key == "g"
        picture.help = key == "?" and not picture.help
        picture.paused ^= key == "p"
        return key == "p"

    def _go(self, letter: str) -> bool:
        view = BY_LETTER.get(letter)
        if view is not None:
            self.picture = Picture(view, now=self.picture.now)
        return view is not None

    def _chosen_id(self) -> str:
        rows = self.picture.rows
        return str(rows[self.picture.chosen].get("id", "")) if self.picture.chosen < len(rows) else ""

    def _act(self, verb: str) -> bool:
        from uuid import UUID

        job_id = UUID(self._chosen_id()).bytes
        try:
            done = self._do(verb, job_id)
            self.picture.said = f"{verb} {uuid_of(job_id)}: {'done' if done else 'not possible in its state'}"
        except ReletError as error:
            self.picture.said = safe(str(error))
        return True

    def _do(self, verb: str, job_id: bytes) -> bool:
        by = operator()
        if verb == "cancel":
            found = self._store.cancel(job_id, "cancelled in relet top", by, GRACE_US)
            return found is not None and not found.ended
        if verb == "retry":
            return self._store.retry_dead(job_id, None, by)
        return self._store.resolve_dead(job_id, True, by, "resolved in relet top")

    # ── the frame ─────────────────────────────────────────────────────────────────────────────────────────────────
    def _frame(self) -> Iterator[str]:
        picture, style = self.picture, self._out.style
        width, height = self._screen.size
        mark = style.paint("PAUSED", "33") if picture.paused else style.dim(time_text(picture.now)[11:19] + " UTC")
        yield f"{style.bold('relet')} {picture.view.name}  {mark}"
        yield ""
        body = list(_HELP) if picture.help else list(self._body(width, height - 4))
        yield from body[: height - 4]
        yield from ("" for _ in range(height - 4 - len(body)))
        yield style.paint(picture.said, "33")
        yield style.dim(self._foot()[:width])

    def _foot(self) -> str:
        if self.picture.asking:
            return f"{self.picture.asking} {self._chosen_id()}? press y"
        return "g: go to (o j q r w l d)   j k: move   c r e: cancel, retry, resolve   p: pause   ?: help   q: quit"

    def _body(self, width: int, height: int) -> Iterator[str]:
        picture, style = self.picture, self._out.style
        if picture.rows and picture.view.letter == "o":
            out = replace(self._out, width=width)
            yield from status.lines(cast("StatusOut", picture.rows[0]), out)
            return
        if not picture.rows:
            yield style.dim("nothing here")
            return
        head, *lines = laid_out(picture.rows, picture.view.columns(picture.now, style), style, width)
        first = max(0, picture.chosen - (height - 2))
        yield head
        for n, line in enumerate(lines[first : first + height - 1], first):
            yield style.paint(line, "7") if n == picture.chosen else line
