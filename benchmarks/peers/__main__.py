"""`python -m benchmarks.peers`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers import __doc__ as about
from benchmarks.peers.environment import CACHE, Environment, prepare
from benchmarks.peers.measure import Bench
from benchmarks.peers.report import conditions, markdown, publish, record, write
from benchmarks.peers.sides import PEERS, Side, chosen
from tests.support.postgres import PostgresServer, PostgresUnavailable

ROUNDS = 3
BUDGET = 250
"""For each second of `--seconds`, how many the rounds may take; with warming up and recovery that makes 12 minutes of 2."""


def main() -> int:
    """Install, measure, print, and write what was asked for."""
    args = _parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # workers and server are ended on the way out
    try:
        wanted = chosen(args.peers.split(","))
    except ValueError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    began = time.monotonic()
    _note(f"installing into {args.cache} what is not there yet")
    environment = prepare(wanted, Path(args.cache).resolve())
    with tempfile.TemporaryDirectory(prefix="relet-peers-") as home, _server(wanted) as (server, missing):
        skipped = {side.title: reason for side in wanted if (reason := _reason(side, environment, missing))}
        for title, reason in skipped.items():
            _note(f"not measured: {title}: {reason}")
        sides = [side for side in wanted if side.title not in skipped]
        said = conditions(server, environment)
        bench = Bench(sides, environment, server, Path(home), args.seconds, _note)
        said["rounds"] = str(_measure(bench, args.rounds))
        said["seconds"] = f"{args.seconds:g} a measurement, {time.monotonic() - began:.0f} in all"
    _tell(args, bench, said, skipped)
    return 1 if skipped or any(bench.found[side.name].troubles for side in sides) else 0


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", default=",".join(PEERS), help=f"which ({','.join(PEERS)})")
    parser.add_argument("--seconds", type=float, default=2, help="about how long each measurement lasts (2)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"repetitions ({ROUNDS})")
    parser.add_argument("--json", metavar="FILE", help="write all samples there")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables there")
    parser.add_argument(
        "--write", action="store_true", help="put them into README.md and docs/how-to/compare-with-peers.md"
    )
    parser.add_argument("--cache", metavar="DIRECTORY", default=str(CACHE), help="where the peers are installed")
    return parser.parse_args()


@contextmanager
def _server(sides: list[Side]) -> Iterator[tuple[PostgresServer | None, str]]:
    """One PostgreSQL for all who need it, or why there is none."""
    if all(side.store != "postgresql" for side in sides):
        yield None, ""
        return
    try:
        server = PostgresServer.launch()
    except PostgresUnavailable as reason:
        yield None, f"no PostgreSQL: {reason}"
        return
    with server:
        yield server, ""


def _reason(side: Side, environment: Environment, missing: str) -> str:
    """Why this side cannot be measured; empty if it can."""
    return environment.lacks.get(side.runtime, "") or (missing if side.store == "postgresql" else "")


def _measure(bench: Bench, rounds: int) -> int:
    """Warm up, take turns, kill workers; how many rounds there was time for."""
    _note("warming up, and finding out how many jobs last long enough")
    bench.round()
    for findings in bench.found.values():
        findings.shed()
    began = longest = 0.0
    for number in range(rounds):
        before = time.monotonic()
        began = began or before
        if number and before - began + longest > BUDGET * bench.seconds:
            _note(f"no time for more than {number} rounds")
            rounds = number
            break
        _note(f"round {number + 1} of {rounds}")
        bench.round()
        longest = max(longest, time.monotonic() - before)
    _note("killing workers, and watching for who runs their jobs")
    bench.recovery()
    return rounds


def _tell(args: argparse.Namespace, bench: Bench, said: dict[str, str], skipped: dict[str, str]) -> None:
    text = markdown(bench, said, skipped)
    print(text)
    if args.markdown:
        write(args.markdown, text)
    if args.write:
        publish(bench, said, text)
    if args.json:
        write(args.json, json.dumps(record(bench, said, skipped), indent=2) + "\n")


def _note(words: str) -> None:
    print(f"# {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
