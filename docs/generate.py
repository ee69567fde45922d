"""Writes the pages of the reference that can be read from the code: settings, command line, JSON, states, errors.

python docs/generate.py           write them
python docs/generate.py --check   exit status 1 if one of them is not current
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import relet.errors
import relet.job.state
import relet.shapes.costs
import relet.shapes.health
import relet.shapes.schedules
import relet.shapes.schema
import relet.shapes.webhooks
from relet.cli.arguments import HELP
from relet.cli.exits import Exit
from relet.cli.program import build
from relet.job.outcome import Ended
from relet.job.settlement import DeadReason
from relet.job.state import ENDED, TRANSITIONS, State
from relet.settings import table
from relet.web.api import KEY_HEADER, REASON_HEADER, ROOT
from relet.web.endpoints import ENDPOINTS

REFERENCE = Path(__file__).parent / "reference"
_MADE = "<!-- Written by docs/generate.py. Do not edit. -->"


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────────
def settings() -> str:
    rows = [
        (
            f"`{row.name}`",
            f"`{row.flag}`",
            ", ".join(f"`{name}`" for name in row.env),
            _cell(row.default),
            _cell(row.sentence),
        )
        for row in table()
    ]
    return _page(
        "Settings",
        """
        Each setting can be given as a flag of `relet worker`, as an environment variable, in `pyproject.toml` under
        `[tool.relet]`, or in `relet.toml`. Each is taken from the strongest source that has it. From strong to weak: flag,
        argument in code, environment variable, `pyproject.toml`, `relet.toml`, default. The files are looked for in the
        present directory and above it. In the files, a setting has the name of the first column.

        Durations are written `250ms`, `30s`, `5m`, `1h30m`, `2d`, or as a number of seconds. Sizes are written `256K`, `1G`,
        or as a number of bytes. A value that is wrong, or dangerous together with another one, is refused at start, with its
        source, the reason, and what to write instead. A variable that looks like a slip of a setting (`RELET_LEESE`) is
        refused too.
        """,
        _table(("Setting", "Flag", "Variables", "Default", "Meaning"), rows),
        """
        Every command that opens a store takes `--url` and `-A`/`--app`. The other settings are flags of `relet worker` only;
        all other commands read them from the environment and the files.
        """,
    )


# ── command line ────────────────────────────────────────────────────────────────────────────────────────────────────
def command_line() -> str:
    parser = build("*")
    exits = [(f"`{status.value}`", _EXIT_WORDS[status]) for status in Exit]
    return _page(
        "Command line",
        """
        Data goes to stdout, talk goes to stderr. `--json` prints one object, `--jsonl` one object a line; their fields are
        listed in [JSON output](json.md). `--quiet` says nothing but data and errors. Colours are left out where stdout is no
        terminal, with `--no-color`, with `NO_COLOR`, and with `TERM=dumb`.

        Which App: `-A module:attribute`, then `RELET_APP`, then `app` in `pyproject.toml` or `relet.toml`, then the only App
        in `app.py`, `tasks.py`, `main.py` or `<package>/tasks.py`. The command says which rule it used. Which store: `--url`,
        then `RELET_URL`, then the files, then the App.

        A job can be named by the first digits of its id (at least four), if they are of one job only.
        """,
        "## Exit statuses\n\n" + _table(("Status", "Meaning"), exits),
        "## Flags of many commands\n\n" + _table(("Flag", "Meaning"), _common(parser)),
        *_commands(parser),
    )


_EXIT_WORDS = {
    Exit.OK: "done; for a worker: it was drained and has ended",
    Exit.JOB_FAILED: "the job that was waited for, or run, failed or was cancelled",
    Exit.USAGE: "wrong arguments or settings",
    Exit.NOT_FOUND: "no such job, queue, task, worker, dead letter or App",
    Exit.REFUSED: "the present state forbids it; nothing was changed",
    Exit.UNREACHABLE: "the store could not be reached or did not do its part",
    Exit.UNHEALTHY: "`doctor` found something wrong, `health` something that is not healthy, or the schema cannot be written to",
    Exit.TIMED_OUT: "the wait was over before the job was",
    Exit.FORCED: "interrupted by force; for a worker: what ran was given back",
}


def _commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    for name, command in _verbs(parser):
        verbs = list(_verbs(command))
        yield f"## relet {name}\n\n{command.description}"
        if command.get_default("run") is not None:
            yield _arguments(command)
        for verb, sub in verbs:
            yield f"### relet {name} {verb}\n\n{sub.description}"
            yield _arguments(sub)


def _verbs(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _arguments(parser: argparse.ArgumentParser) -> str:
    common = dict(_common(build("*")))
    rows = [(_names(action), _help(action)) for action in _actions(parser)]
    own = [row for row in rows if common.get(row[0]) != row[1]]
    shared = [row[0] for row in rows if row not in own]
    parts = [_table(("Argument", "Meaning"), own)] if own else []
    parts += [f"{'And' if own else 'Only'} {', '.join(shared)}."] if shared else []
    parts += [f"```text\n{parser.epilog.strip()}\n```"] if parser.epilog == HELP else []
    return "\n\n".join(parts)


def _common(parser: argparse.ArgumentParser) -> list[tuple[str, str]]:
    """The flags of output, store and safety, as the most ordinary command has them."""
    jobs = dict(_verbs(dict(_verbs(parser))["jobs"]))["cancel"]
    groups = [group for group in jobs._action_groups if group.title in ("output", "store", "safety")]
    return [(_names(action), _help(action)) for group in groups for action in group._group_actions]


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for group in parser._action_groups:
        for action in group._group_actions:
            if not isinstance(action, argparse._SubParsersAction | argparse._HelpAction):
                yield action


def _help(action: argparse.Action) -> str:
    return _cell(str(action.help or "").replace("%%", "%"))


def _names(action: argparse.Action) -> str:
    if not action.option_strings:
        word = str(action.metavar or action.dest)
        word = f"{{{','.join(map(str, action.choices))}}}" if action.choices else word
        return f"`{word}{' …' if action.nargs in ('*', '+') else ''}`"
    value = ""
    if action.nargs != 0:
        word = str(action.metavar or action.dest.upper())
        word = "|".join(map(str, action.choices)) if action.choices else word
        value = f" [{word}]" if action.nargs == "?" else f" {word}"
    return ", ".join(f"`{name}{value}`" for name in action.option_strings).replace("|", "\\|")


# ── HTTP ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def http() -> str:
    parts: list[str] = []
    for noun in dict.fromkeys(endpoint.noun for endpoint in ENDPOINTS):
        rows = [
            (f"`{one.method} {one.path}`", f"`{one.name}`", one.role.word, _cell(" ".join(one.words.split())))
            for one in ENDPOINTS
            if one.noun == noun
        ]
        parts += [f"## {noun.capitalize()}", _table(("Request", "Name", "Role", "Meaning"), rows)]
    return _page(
        "HTTP API",
        f"""
        What `relet web` and `app.dashboard()` answer under `{ROOT}`. The server describes all of it, with every field, as
        OpenAPI 3.1 at `{ROOT}/openapi.json`. The records are those of [JSON output](json.md).
        [How to use it](../how-to/http-api.md).

        Errors are `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail` (what happened, what it means for
        the data, and what to do), `instance`. Lists are cut into pages: give the `next` of one page as `before` (or `after`)
        for the next.
        Every request that changes something takes `{KEY_HEADER}` and `{REASON_HEADER}`.
        """,
        *parts,
    )


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def json_output() -> str:
    module = ast.parse(inspect.getsource(relet.shapes.schema))
    said = ast.get_docstring(module) or ""
    shapes = (relet.shapes.schedules, relet.shapes.costs, relet.shapes.health, relet.shapes.webhooks)
    more = [ast.parse(inspect.getsource(each)) for each in shapes]
    parts = [_record(node) for each in (module, *more) for node in each.body if isinstance(node, ast.ClassDef)]
    return _page(
        "JSON output",
        """
        What `--json` and `--jsonl` print. A command that lists prints one object that holds the records under a name; with
        `--jsonl`, it prints the records alone, one a line.
        """,
        said.partition("\n\n")[2],
        _table(("Command", "Prints"), [(f"`{command}`", f"`{_cell(form)}`") for command, form in PRINTED]),
        "`relet demo --json` and `relet top --jsonl` print one object a line for as long as they run.",
        *parts,
    )


PRINTED = (
    ("relet enqueue", "Enqueued"),
    ("relet enqueue --wait", "Job"),
    ("relet run TASK", '{"result": any, "logs": [...], "progress": [...]}'),
    ("relet run --once", '{"completed": int, "failed": int}'),
    ("relet status", "Status"),
    ("relet jobs ls", '{"jobs": [Job], "next": id | null}'),
    ("relet jobs show", '{"job": Job, "attempts": [Attempt], "logs": [Log], "usage": [Usage]}'),
    ("relet jobs why", '{"id": id, "state": str, "why": [str]}'),
    ("relet jobs cancel, retry, rm", '{"changes": [Change]}'),
    ("relet dead ls", '{"dead": [Dead], "total": int, "next": id | null}'),
    ("relet dead show", "Dead"),
    ("relet dead stats", '{"queues": [DeadStats]}'),
    ("relet dead retry, resolve, rm", '{"changes": [Change]}'),
    ("relet queues ls", '{"queues": [Queue], "capped_at": int, "breakers": [Breaker]}'),
    ("relet queues pause, resume, drain, purge", '{"queues": [Queue]}'),
    ("relet routines ls, enable, disable, pause, resume, delete", '{"routines": [Routine]}'),
    ("relet schedules ls, upsert, enable, disable, pause, resume, delete", '{"schedules": [Schedule]}'),
    ("relet routines show", '{"routine": Routine, "history": [Firing]}'),
    ("relet schedules show", '{"schedule": Schedule, "history": [Firing]}'),
    ("relet limits ls, set, pause, resume, forget", '{"limits": [Limit]}'),
    ("relet limits show", '{"limit": Limit, "keys": [LimitKey]}'),
    ("relet breakers ls, open, close, reset", '{"breakers": [Breaker]}'),
    ("relet webhooks ls, enable, disable, rm", '{"webhooks": [Webhook]}'),
    ("relet webhooks show", "Webhook"),
    ("relet webhooks add, rotate", '{"webhook": Webhook, "secret": str | null}'),
    ("relet webhooks deliveries, test, redeliver", '{"deliveries": [Delivery]}'),
    ("relet webhooks deliveries ID", '{"delivery": Delivery, "attempts": [DeliveryTry], "body": str | null}'),
    ("relet costs", '{"costs": [Cost]}'),
    ("relet budgets ls", '{"budgets": [Budget]}'),
    ("relet budgets show, set, lift", '{"budget": Budget, "keys": [Budget]}'),
    ("relet health", "Health"),
    ("relet workers ls, drain, stop", '{"workers": [Worker]}'),
    ("relet leases", '{"leases": [Lease]}'),
    ("relet recover", '{"reclaimed": [Reclaimed]}'),
    ("relet doctor", '{"findings": [Finding], "url": str, "healthy": bool}'),
    ("relet migrate", '{"engine": str, "version": int, "floor": int, "newest": int, "pending": [str], "usable": bool}'),
    ("relet init", '{"written": [str], "kept": [str]}'),
)


def _record(node: ast.ClassDef) -> str:
    rows: list[tuple[str, str, str]] = []
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            words = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            kind = _cell(ast.unparse(field.annotation).replace("Out", ""))
            rows.append((f"`{ast.unparse(field.target)}`", f"`{kind}`", str(words).strip()))
    name, said = node.name.removesuffix("Out"), (ast.get_docstring(node) or "").replace("Out`", "`")
    return f"## {name}\n\n{said}\n\n" + _table(("Field", "Type", ""), rows)


# ── states and errors ───────────────────────────────────────────────────────────────────────────────────────────────
def states() -> str:
    diagram = _drawing(inspect.getdoc(relet.job.state) or "")
    moves = [
        (f"`{old.value}`", ", ".join(f"`{new.value}`" for new in State if new in news) or "none", _STATE_WORDS[old])
        for old, news in TRANSITIONS.items()
    ]
    return _page(
        "States and outcomes",
        """
        A job has exactly one state at any time. A change of state is one transaction: the row that says where the job stands
        is deleted in one table and inserted in another.
        """,
        f"```text\n{diagram}\n```",
        _table(("State", "May become", "Meaning"), moves),
        f"""
        Ended states are {", ".join(f"`{state.value}`" for state in State if state in ENDED)}. Nothing moves an ended job any
        more, but for a person who retries a dead one.
        """,
        "## Outcomes\n\nHow one claim of a job ended: the word in `job.attempts` and in `relet jobs show`.",
        _table(("Outcome", "Meaning", "Costs"), [(f"`{ended.value}`", *_OUTCOME_WORDS[ended]) for ended in Ended]),
        "## Reasons of dead letters",
        _table(("Reason", "Meaning"), [(f"`{reason.value}`", _REASON_WORDS[reason]) for reason in DeadReason]),
    )


_STATE_WORDS = {
    State.WAITING: "comes after other jobs, of which not all have ended",
    State.SCHEDULED: "waits for a time: delayed, snoozed, or between two attempts",
    State.READY: "can be claimed",
    State.RUNNING: "let to a worker under its lease",
    State.SUCCEEDED: "its function returned, and the result is stored",
    State.CANCELLED: "cancelled by a person or by its task, or not started before it expired",
    State.DEAD: "in the dead letters, with arguments, error and stack",
}
_OUTCOME_WORDS = {
    Ended.SUCCESS: ("the function returned", "nothing"),
    Ended.FAILURE: ("the function raised, or its result could not be stored", "an attempt"),
    Ended.TIMEOUT: ("the run took longer than its timeout", "an attempt"),
    Ended.RETRY_LATER: ("the task said `RetryLater`", "an attempt"),
    Ended.SNOOZE: ("the task said `Snooze`, or the store failed under it", "nothing"),
    Ended.REJECT: ("the task said `Reject`", "an attempt; the job is dead"),
    Ended.CANCEL: ("a person cancelled it, or the task said `Cancel`", "nothing; the job is cancelled"),
    Ended.EXPIRE: ("it was not started before it expired", "nothing; the job is cancelled"),
    Ended.DEADLINE: ("its deadline passed", "nothing; the job is dead"),
    Ended.CHILD_DIED: ("the child process of the job died", "an attempt"),
    Ended.CRASH: ("the job ran alone, under suspicion, and its process died", "a crash"),
    Ended.RELEASE: ("given back unfinished: shutdown, drain, a lease that was lost", "nothing"),
    Ended.LOST: ("the session that held it died or lapsed; written by whoever took the job back", "nothing"),
}
_REASON_WORDS = {
    DeadReason.ATTEMPTS: "all its attempts failed",
    DeadReason.PERMANENT: "it failed with an error that its retry policy does not retry, or its data does not fit the task",
    DeadReason.REJECTED: "its task said `Reject`",
    DeadReason.POISON: "it took its process down too often",
    DeadReason.DEADLINE: "its deadline passed",
}


def errors() -> str:
    drawn = _drawing(inspect.getdoc(relet.errors) or "")
    rows = [
        (f"`{name}`", _cell((inspect.getdoc(kind) or "").replace("\n", " ")))
        for name, kind in vars(relet.errors).items()
        if inspect.isclass(kind) and kind.__module__ == "relet.errors"
    ]
    return _page(
        "Errors",
        """
        Every error that Relet raises is a `ReletError`; import them from `relet.errors`. A message says what happened, what
        it means for the data, and what to do.
        """,
        f"```text\n{drawn}\n```",
        _table(("Error", "Meaning"), rows),
        "`Snooze`, `RetryLater`, `Reject` and `Cancel` are imported from `relet`. A task raises or returns them.",
    )


def _drawing(doc: str) -> str:
    """The lines of a docstring that draw something, and those among them."""
    lines = doc.splitlines()
    drawn = [n for n, line in enumerate(lines) if any(char in line for char in "│├└┌►") or line.strip() == "ReletError"]
    return textwrap.dedent("\n".join(lines[drawn[0] : drawn[-1] + 1]))


# ── Markdown ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _page(title: str, *parts: str) -> str:
    texts = [textwrap.dedent(part).strip() for part in (f"# {title}", _MADE, *parts)]
    return "\n\n".join(text for text in texts if text) + "\n"


def _table(heads: tuple[str, ...], rows: list[Any]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """A text in a table: what looks like a tag is no tag, but for what stands between backticks."""
    pieces = text.replace("|", "\\|").split("`")
    pieces[::2] = [piece.replace("<", "\\<") for piece in pieces[::2]]
    return "`".join(pieces)


PAGES: dict[str, Callable[[], str]] = {
    "http-api.md": http,
    "settings.md": settings,
    "command-line.md": command_line,
    "json.md": json_output,
    "states.md": states,
    "errors.md": errors,
}


def main(arguments: list[str]) -> int:
    stale = [name for name, make in PAGES.items() if _read(REFERENCE / name) != make()]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/reference/{name} is not current: python docs/generate.py", file=sys.stderr)
        return 1 if stale else 0
    REFERENCE.mkdir(exist_ok=True)
    for name in stale:
        (REFERENCE / name).write_text(PAGES[name](), "utf-8")
        print(f"wrote docs/reference/{name}")
    return 0


def _read(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
