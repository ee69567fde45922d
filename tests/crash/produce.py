"""A producer process: `python -m tests.crash.produce URL COUNT`. Writes the id of each job when it was acknowledged."""

import os
import sys

from relet.settings import Settings
from tests.crash.tasks import add, app

if __name__ == "__main__":
    url, count = sys.argv[1:]
    app.settings = Settings.load(code={"url": url}, env={})
    for n in range(int(count)):
        os.write(1, f"{add.enqueue(n, 1).id}\n".encode())
    app.close()
