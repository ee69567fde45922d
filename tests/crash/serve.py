"""A worker process for tests: `python -m tests.crash.serve '{"url": …, "lease": "2s", "point": "turn:after:claim"}'`.

Settings as in code, and a crash point. Tells its events on standard output.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from relet.settings import Settings
from relet.work.worker import Worker
from tests.crash.points import Dying, Point
from tests.crash.tasks import app


class Employer:
    """The app, with stores that end the process at a point."""

    def __init__(self, point: Point) -> None:
        self._point = point

    def __getattr__(self, name: str) -> Any:
        return getattr(app, name)

    def open_store(self) -> Any:
        return Dying(app.open_store(), self._point)


def tell(event: str, /, **fields: Any) -> None:
    told = {name: str(value) for name, value in fields.items()}
    sys.stdout.write(json.dumps({"event": event, "clock": int(time.time()), **told}) + "\n")
    sys.stdout.flush()


def main(given: dict[str, str]) -> None:
    point = given.pop("point", "")
    app.settings = Settings.load(code=given, env={}, cwd=Path(given["lock_dir"]).parent)
    employer = Employer(Point.parse(point)) if point else app
    Worker(employer, app.settings, emit=tell).run()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
