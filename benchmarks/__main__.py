"""`python -m benchmarks`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.figures import FIGURES, Figure
from benchmarks.gates import gate_figures
from benchmarks.ground import ground
from benchmarks.limits import limit_figures
from benchmarks.report import conditions, row, write
from benchmarks.shares import share_figures
from benchmarks.web import web_figures

FEATURES = {"limits": limit_figures, "gates": gate_figures, "shares": share_figures, "web": web_figures}
MEASURES = {**FIGURES, **FEATURES}


def main() -> int:
    """Measure, print as it goes, and write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--engine", default="sqlite,postgres", help="which engines (sqlite,postgres)")
    parser.add_argument("--only", default=",".join(MEASURES), help=f"which groups ({','.join(MEASURES)})")
    much = parser.add_mutually_exclusive_group()
    much.add_argument("--quick", action="store_true", help="a tenth of the jobs")
    much.add_argument(
        "--long", action="store_true", help="two million jobs under the held snapshot; takes minutes more"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    parser.add_argument(
        "--write", "--write-readme", action="store_true", help="put them into README.md and docs/explanation/speed.md"
    )
    args = parser.parse_args()
    found: list[Figure] = []
    of_features: list[Figure] = []
    said = conditions()
    print(said, flush=True)
    for engine in args.engine.split(","):
        with ground(engine) as place:
            place.long = args.long
            for name in args.only.split(","):
                print(f"# {engine}: {name}", file=sys.stderr, flush=True)
                for figure in MEASURES[name](place, 1 if args.quick else 10):
                    (of_features if name in FEATURES else found).append(figure)
                    print(row(figure), flush=True)
    if args.json:
        Path(args.json).write_text(
            json.dumps({"conditions": said, "figures": [asdict(one) for one in (*found, *of_features)]}, indent=2)
        )
    if args.write:
        write(said, found, of_features)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
