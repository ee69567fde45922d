"""`python -m benchmarks`."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.figures import FIGURES, Figure
from benchmarks.ground import ground

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"


def main() -> int:
    """Measure, print as it goes, and write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--engine", default="sqlite,postgres", help="which engines (sqlite,postgres)")
    parser.add_argument("--only", default=",".join(FIGURES), help=f"which groups ({','.join(FIGURES)})")
    parser.add_argument("--quick", action="store_true", help="a tenth of the jobs")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    parser.add_argument("--write-readme", action="store_true", help="put the table into README.md")
    args = parser.parse_args()
    found: list[Figure] = []
    for engine in args.engine.split(","):
        with ground(engine) as place:
            for name in args.only.split(","):
                print(f"# {engine}: {name}", file=sys.stderr, flush=True)
                for figure in FIGURES[name](place, 1 if args.quick else 10):
                    found.append(figure)
                    print(row(figure), flush=True)
    if args.json:
        record = {"conditions": conditions(), "figures": [asdict(figure) for figure in found]}
        Path(args.json).write_text(json.dumps(record, indent=2))
    if args.write_readme:
        write(found)
    return 0


def row(figure: Figure) -> str:
    """One line of the table."""
    value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.2f}"
    ratio = f"{figure.ratio:.2f} of {figure.against}" if figure.ratio is not None else ""
    return f"| {figure.engine} | {figure.name} | {value} {figure.unit} | {ratio} | {figure.note} |"


def conditions() -> str:
    """Where and when."""
    cores = len(Path("/proc/cpuinfo").read_text().split("processor\t")) - 1 if Path("/proc/cpuinfo").exists() else "?"
    machine = f"{platform.system()} {platform.machine()}, {cores} cores"
    return f"{time.strftime('%Y-%m-%d')}, {machine}, Python {platform.python_version()}, full sync"


def write(found: list[Figure]) -> None:
    """Between the marks in the README."""
    text = README.read_text()
    table = "\n".join(["| engine | what | measured | ratio | |", "|---|---|---|---|---|", *map(row, found)])
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\nMeasured by `make bench`: {conditions()}.\n\n{table}\n{END}{after}")


if __name__ == "__main__":
    raise SystemExit(main())
