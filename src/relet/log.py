"""The edge where events become log lines: standard logging, for people or as JSON.

Writing never holds up whoever logs: lines wait in a bounded line-up for a thread of their own, so that a full pipe or a
closed terminal cannot stop a renewal. What does not fit is counted and said later.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from relet.clock import SECOND, Clock

Clean = Callable[[str], str]
"""Makes text safe for one line of a log: control characters escaped, secrets hidden."""

Context = Callable[[], Mapping[str, object]]
"""The job, attempt and worker in whose name the present code runs."""

BURST = 20
"""Lines a second for one kind of event that concerns single jobs; one a second for every other kind."""

LINES_WAITING = 10_000

_PLAIN = frozenset(vars(logging.makeLogRecord({})))
_NOT_SHOWN = _PLAIN | {"relet", "relet_said", "message", "asctime", "taskName"}

SENTENCES: dict[str, tuple[int, str]] = {
    "worker.started": (logging.INFO, "worker {worker} is ready"),
    "worker.draining": (logging.INFO, "draining: no new jobs, {busy} still running"),
    "worker.stopped": (logging.INFO, "worker {worker} has stopped"),
    "web.defect": (logging.ERROR, "request {number} failed: {method} {path}: {error}"),
    "worker.asked": (logging.INFO, "asked to {verb}"),
    "session.opened": (logging.INFO, "holding a lease of {lease}"),
    "session.lost": (logging.ERROR, "lost its lease: {cause}; what runs here is told to end, and others may run it"),
    "session.ended": (logging.INFO, "the session ended: {cause}"),
    "lease.renewed": (logging.DEBUG, "lease renewed"),
    "lease.late": (logging.WARNING, "the lease could not be renewed: {error}"),
    "lease.lost": (
        logging.ERROR,
        "may no longer hold this job; it is told to end, and what is written late is refused",
    ),
    "store.unavailable": (logging.WARNING, "the store does not answer; trying again: {error}"),
    "store.back": (logging.INFO, "the store answers again, after {after}"),
    "store.full": (logging.ERROR, "the store is full; nothing is lost, make room: {error}"),
    "store.unknown": (logging.WARNING, "an answer of the store was lost; asking again"),
    "store.mismatch": (logging.ERROR, "the schema is not one that this version may write to: {error}"),
    "store.refused": (logging.WARNING, "the store refused: {error}"),
    "worker.defect": (logging.ERROR, "a defect of Relet itself, which goes on: {error}"),
    "queue.full": (logging.ERROR, "queue {queue} is closed: {most} jobs wait in it; more are refused until fewer do"),
    "queue.open": (logging.INFO, "queue {queue} is open again: {waiting} jobs wait in it"),
    "job.claimed": (logging.DEBUG, "claimed"),
    "job.started": (logging.DEBUG, "started"),
    "job.succeeded": (logging.DEBUG, "succeeded"),
    "job.failed": (logging.WARNING, "failed: {error}"),
    "job.dead": (logging.ERROR, "to the dead letters: {error}"),
    "job.cancelled": (logging.INFO, "cancelled: {reason}"),
    "job.spent": (logging.INFO, "{task} | {spent}"),
    "worker.spent": (logging.INFO, "Total: {runs} | {spent}"),
    "job.timeout": (logging.WARNING, "ran into its timeout"),
    "job.abandoned": (logging.ERROR, "did not end when told to and was abandoned; its late result will be refused"),
    "job.fenced": (logging.WARNING, "reported late: it no longer held the job; nothing was written"),
    "job.snoozed": (logging.DEBUG, "put off by itself: {error}"),
    "job.unstorable": (logging.ERROR, "its outcome could not be stored: {error}"),
    "job.released": (logging.INFO, "given back unfinished"),
    "job.mended": (
        logging.ERROR,
        "job {job} waited for nothing, or took the place of others before a limit; that is mended: please report this",
    ),
    "batch.mended": (logging.ERROR, "batch {batch} was counted wrong, and was counted anew: please report this"),
    "session.reclaimed": (logging.WARNING, "worker {worker} is gone: {cause}; jobs returned: {returned}, dead: {dead}"),
    "schedule.fired": (logging.INFO, "schedule {schedule} was due: job {job}"),
    "schedule.passed": (logging.INFO, "schedule {schedule} was due and is passed over: {reason}"),
    "schedule.shut_out": (logging.WARNING, "schedule {schedule} was due and gets no run: {reason}"),
    "schedule.disabled": (logging.ERROR, "schedule {schedule} is disabled until somebody enables it: {reason}"),
    "schedule.trimmed": (logging.INFO, "job {job} of schedule {schedule} is cancelled: {reason}"),
    "schedule.unreadable": (
        logging.ERROR,
        "schedule {schedule} cannot be reckoned here, and is left to other workers: {error}",
    ),
    "schedule.refused": (logging.ERROR, "{error}"),
    "schedule.taken": (
        logging.WARNING,
        "routine {schedule} runs {task} now, and no more {before}, whose workers live (declared by {by}); two apps? rename one",
    ),
    "budget.warned": (
        logging.WARNING,
        "budget {budget}: {spent} of {amount} are spent; used up, it {does} until {until}",
    ),
    "budget.exceeded": (logging.ERROR, "budget {budget} is used up: {spent} of {amount}; it {does} until {until}"),
    "breaker.opened": (logging.ERROR, "breaker {breaker} is open {lasts}: {reason}: {error}"),
    "breaker.closed": (logging.INFO, "breaker {breaker} is closed"),
    "webhook.disabled": (logging.ERROR, "webhook {webhook} is disabled: {reason}"),
    "health.changed": (logging.WARNING, "{who}: {how}"),
    "chore.failed": (logging.WARNING, "chore {name} failed: {error}"),
}
"""Level and words for each event. An event that is not here is written by its name, at debug level."""


class LogEdge:
    """Listens to events and logs them. Repeats within a second are counted, not written."""

    def __init__(self, logger: logging.Logger, clock: Clock) -> None:
        self._logger = logger
        self._clock = clock
        self._second: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def __call__(self, event: str, /, **fields: Any) -> None:
        level, sentence = SENTENCES.get(event, (logging.DEBUG, event))
        if not self._logger.isEnabledFor(level):
            return
        unsaid = self._admit(event, BURST if "job" in fields else 1)
        if unsaid is None:
            return
        said = _Facts(fields)
        text = sentence.format_map(said)
        if unsaid:
            text = f"{text} ({unsaid} more like this were not written)"
        self._logger.log(level, "%s", text, extra={"relet": {"event": event, **fields}, "relet_said": said.names()})

    def _admit(self, event: str, limit: int) -> int | None:
        """None: not now. Else how many of the last busy second were held back."""
        now = self._clock.steady() // SECOND
        with self._lock:
            second, seen = self._second.get(event, (now, 0))
            if second == now:
                self._second[event] = now, seen + 1
                return 0 if seen < limit else None
            self._second[event] = now, 1
            return max(seen - limit, 0)


class _Facts:
    """Facts of an event by name; one that was not given reads as a question mark. Knows which ones were asked for."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self._used: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self._used.add(name)
        return self._fields.get(name, "?")

    def names(self) -> set[str]:
        """The facts that need not be said again: those that were asked for, and those of the same text."""
        said = [self._fields.get(name) for name in self._used]
        return {name for name, value in self._fields.items() if name in self._used or (value and value in said)}


def facts_of(record: logging.LogRecord, context: Context) -> dict[str, object]:
    """What a record says beside its message: the job it belongs to, the facts of an event, and `extra`."""
    facts: dict[str, object] = dict(context())
    facts |= {name: value for name, value in vars(record).items() if name not in _NOT_SHOWN}
    facts |= getattr(record, "relet", {})
    if "epoch" in facts:
        facts["claim"] = facts.pop("epoch")
    return facts


class PrettyFormatter(logging.Formatter):
    """`12:04:36.204 WARNING  failed: OSError: no route  job=0192… attempt=2 worker=a-1`"""

    _COLOURS: Mapping[int, str] = {10: "2", 20: "36", 30: "33", 40: "31", 50: "31;1"}

    def __init__(self, clean: Clean, context: Context, *, colour: bool) -> None:
        super().__init__()
        self._clean = clean
        self._context = context
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        facts = facts_of(record, self._context)
        for name in ("event", *getattr(record, "relet_said", ())):
            facts.pop(name, None)
        message = record.getMessage() if "relet" in vars(record) else f"{record.name}: {record.getMessage()}"
        tail = "".join(f" {name}={_shown(value)}" for name, value in facts.items() if value not in ("", None))
        level = self._painted(f"{record.levelname:<8}", record.levelno)
        line = f"{self.formatTime(record, '%H:%M:%S')}.{int(record.msecs):03d} {level} {self._clean(message + tail)}"
        return f"{line}\n{self._stack(record)}" if record.exc_info else line

    def _painted(self, text: str, level: int) -> str:
        return f"\x1b[{self._COLOURS.get(level, '0')}m{text}\x1b[0m" if self._colour else text

    def _stack(self, record: logging.LogRecord) -> str:
        text = self.formatException(record.exc_info) if record.exc_info else ""
        return "\n".join(self._clean(line) for line in text.splitlines())


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, message, then the facts."""

    def __init__(self, clean: Clean, context: Context) -> None:
        super().__init__()
        self._clean = clean
        self._context = context

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._clean(record.getMessage()),
        }
        for name, value in facts_of(record, self._context).items():
            line.setdefault(name, value if isinstance(value, int | float | None) else self._clean(_shown(value)))
        if record.exc_info:
            line["stack"] = "\n".join(self._clean(text) for text in self.formatException(record.exc_info).splitlines())
        return json.dumps(line, ensure_ascii=False)


def _shown(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  a foreign __str__ may raise anything
        return f"<{type(value).__name__}>"


class LineHandler(logging.Handler):
    """Hands formatted lines to a thread of its own that writes them to `stream`."""

    def __init__(self, stream: TextIO, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._stream = stream
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._write, name="relet-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001  a record that cannot be formatted must not stop whoever logs
            line = f"a log record of {record.name} could not be formatted: {record.msg!r}"
        with self._wake:
            if len(self._lines) < LINES_WAITING:
                self._lines.append(line)
            else:
                self._dropped += 1
            self._wake.notify()

    def close(self) -> None:
        """Write what waits, for a second at most: nobody may be reading any more."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout=1)
        super().close()

    def _write(self) -> None:
        while lines := self._taken():
            try:
                self._stream.write("\n".join(lines) + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                return  # the other end is closed; there is nobody left to tell

    def _taken(self) -> list[str]:
        """All lines that wait, after waiting for one. Empty: the end."""
        with self._wake:
            while not self._lines and not self._closing:
                self._wake.wait()
            lines, dropped = list(self._lines), self._dropped
            self._lines.clear()
            self._dropped = 0
        return [*lines, f"{dropped} log lines were dropped: whoever reads them is too slow"] if dropped else lines


def set_up(
    stream: TextIO,
    *,
    form: str,
    level: str,
    clean: Clean = str,
    context: Context = dict[str, object],
    colour: bool = False,
    root: logging.Logger | None = None,
) -> logging.Handler | None:
    """Send the log lines of this process to `stream`, unless the application has set up logging itself (then None).

    `form` is "pretty" or "json". Call `close` of the returned handler at the end.
    `root` is the logger whose lines are sent: that of the process unless given.
    """
    root = root or logging.getLogger()
    logging.getLogger("relet").setLevel(level.upper())
    if root.handlers:
        return None
    formatter = JsonFormatter(clean, context) if form == "json" else PrettyFormatter(clean, context, colour=colour)
    handler = LineHandler(stream, formatter)
    root.addHandler(handler)
    root.setLevel(level.upper())
    return handler
