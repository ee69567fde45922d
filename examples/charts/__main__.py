"""Charts over HTTP: a proof of the whole service, the gallery as files, or the service itself.

python -m examples.charts                   draw the gallery, kill a worker, and prove that nothing is missing
python -m examples.charts gallery FOLDER    draw the gallery into a folder
python -m examples.charts serve             the server; workers: relet worker -A examples.charts.tasks
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from tempfile import mkdtemp

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def main() -> int:
    """Exit status 0 only if all holds."""
    args = _arguments()
    if args.what == "serve":
        return _serve(args.host, args.port)
    folder: Path = (args.folder or Path(mkdtemp(prefix="charts-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        print(f"{folder} is not empty", file=sys.stderr)
        return 2
    os.environ.update(RELET_URL=args.url or f"sqlite:///{folder}/jobs.db", CHARTS_FOLDER=str(folder))
    if args.url:
        subprocess.run([sys.executable, "-m", "relet", "migrate"], check=True)
    return _show(folder, kill=args.what != "gallery")


def _show(folder: Path, *, kill: bool) -> int:
    """With the environment set: the app reads it when it is imported."""
    from examples.charts import tasks
    from examples.charts.running import Running
    from examples.charts.show import Show

    with tasks.app, Running(folder) as running:
        show = Show(running, folder)
        show.begin()
        show.order()
        show.order_again()
        if kill:
            show.kill_one()
        show.finish()
        if kill:
            show.ask_for_the_impossible()
        show.prove(kill)
        show.say(f"The gallery: {show.keep()}")
    return 1 if show.broken else 0


def _serve(host: str, port: int) -> int:
    import uvicorn

    from examples.charts.service import service

    private = host in LOOPBACK
    listening = socket.create_server((host, port))
    print(f"http://{host}:{listening.getsockname()[1]}", flush=True)
    site = service(open_to_all=private, hosts=LOOPBACK if private else ())
    uvicorn.Server(uvicorn.Config(site, log_level="warning", access_log=False)).run([listening])
    return 0


def _arguments() -> Namespace:
    parser = ArgumentParser(
        prog="python -m examples.charts", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="the store, such as an empty PostgreSQL database (SQLite in the folder)")
    parser.add_argument("--folder", type=Path, help="an empty folder for the charts (a new one)")
    commands = parser.add_subparsers(dest="what", required=False)
    files = commands.add_parser("gallery", help="draw the gallery into an empty folder")
    files.add_argument("folder", type=Path)
    server = commands.add_parser("serve", help="the server alone")
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=int, default=8701)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
