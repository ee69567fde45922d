"""A worker process for tests: `python -m tests.work.serve URL FOLDER LEASE SLOTS`. Tells its events on standard output."""

import json
import sys
from typing import Any

from relet.settings import Settings
from tests.work.tasks import app


def tell(event: str, /, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **{name: str(value) for name, value in fields.items()}}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    url, folder, lease, slots = sys.argv[1:]
    code = {"url": url, "lease": lease, "slots": slots, "poll": "50ms", "cancel_grace": "300ms", "grace": "5s"}
    code["webhook_allow"] = "127.0.0.0/8"
    app.settings = Settings.load(code={**code, "lock_dir": f"{folder}/locks"}, env={}, cwd=folder)
    app.worker(emit=tell).run()
