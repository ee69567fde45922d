"""`relet init`: a starter app and relet.toml. Writes what is not there, and never over what is."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from relet.cli.exits import Exit, Problem
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags

_TASKS = '''\
"""Background jobs of this project.

    relet worker                               run them
    relet enqueue greet name=World --wait      enqueue one, and wait for its result
    relet status                               how it stands
"""

from relet import App, Context, Retry

app = App()


@app.task
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@app.task(queue="reports", retry=Retry(5), timeout="2m")
def count_words(ctx: Context, text: str) -> int:
    """A plain function runs in a thread. `ctx` says which job this is, and takes its progress."""
    ctx.progress(50, "counting")
    return len(text.split())
'''

_TOML = """\
# Settings of Relet. A flag and an environment variable (RELET_URL, RELET_LEASE, ...) win over this file.
# `relet worker --help` has a sentence for each. Passwords belong into RELET_URL, not in here.

url = "sqlite:///relet.db"   # or "postgresql://host/database"
app = "tasks:app"

# slots = 10           # jobs at once in one worker process
# lease = "90s"        # how long a worker that is not heard of keeps its jobs
# queues = { default = 3, reports = 1 }
"""


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.add_argument("directory", nargs="?", default=".", help="where to write them (here)")
    add_output_flags(parser)


def run(args: Namespace, out: Output) -> int:
    folder = Path(args.directory)
    tasks, toml = folder / "tasks.py", folder / "relet.toml"
    new = _write(tasks, _TASKS)
    # A tasks.py that was here before is somebody's own: whether it holds an App named `app` is not for us to say.
    done = {tasks: new, toml: _write(toml, _TOML if new else _TOML.replace("\napp = ", "\n# app = "))}
    written = [str(file) for file, was_written in done.items() if was_written]
    kept = [str(file) for file, was_written in done.items() if not was_written]
    out.record(
        {"written": written, "kept": kept},
        lambda: [f"wrote {path}" for path in written] + [f"kept {path}, which is there already" for path in kept],
    )
    go = "" if folder == Path() else f"cd {folder} && "
    out.say(f"next: {go}relet worker, and in another terminal: relet enqueue greet name=World --wait")
    return Exit.OK


def _write(file: Path, text: str) -> bool:
    """False: something is there already."""
    if file.exists():
        return False
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:  # not even over one that appeared a moment ago
            stream.write(text)
    except OSError as error:
        raise Problem(Exit.REFUSED, f"{file} cannot be written", str(error)) from error
    return True
