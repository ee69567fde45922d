"""`relet completion`: the script that completes relet's commands and flags in a shell. Shipped, so that it costs nothing."""

from __future__ import annotations

from argparse import Namespace
from importlib.resources import files
from itertools import dropwhile
from pathlib import Path

from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, add_talk_flags

SHELLS = ("bash", "zsh")
_INSTALL = {
    "bash": 'for this shell: eval "$(relet completion bash)"; for good: put that line into ~/.bashrc',
    "zsh": "for good: relet completion zsh > ~/.zfunc/_relet, with ~/.zfunc in fpath before compinit",
}


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.add_argument("shell", choices=SHELLS, help="which shell")
    add_talk_flags(parser)


def run(args: Namespace, out: Output) -> int:
    out.stdout.write(shipped(args.shell))
    if out.stdout.isatty():
        out.say(_INSTALL[args.shell])
    return Exit.OK


def shipped(shell: str) -> str:
    """The script that came with this version."""
    return files("relet.cli").joinpath("completions", f"relet.{shell}").read_text("utf-8")


def generated(shell: str) -> str:
    """The script for the commands as they are now. Needs shtab, which only development has."""
    import shtab

    from relet.cli.program import build

    script = shtab.complete(build("*"), shell)
    about = f"# Completes relet's commands and flags in {shell}. {_INSTALL[shell][:1].upper()}{_INSTALL[shell][1:]}.\n"
    first, *lines = script.splitlines(keepends=True)
    body = "".join(dropwhile(lambda line: line.startswith("#") or not line.strip(), lines))
    return f"{first}{about}\n{body}" if first.startswith("#compdef") else f"{about}\n{body}"


if __name__ == "__main__":  # after a change of commands or flags: python -m relet.cli.completion
    for name in SHELLS:
        Path(__file__).with_name("completions").joinpath(f"relet.{name}").write_text(generated(name), "utf-8")
