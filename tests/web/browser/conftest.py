"""A real browser, a real server, and one store that has something of everything. All of it once for the module, and no longer:
while Playwright is there, its event loop runs in the thread of the tests."""

import asyncio
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from relet import App, Breaker, Limit
from relet.web.pages import live
from relet.web.site import Site, make_site
from tests.app.work import work_off
from tests.support.waiting import until

ROOT = "/a/b"
"""Where the site is mounted: not at the top."""
EVERY_S = 0.1
"""How often what is live is sent here."""


def browser_or_skip() -> Any:
    """Playwright's own browsers are downloads; the system's is used."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    if not (found := shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("no chromium on the path: apt-get install chromium")
    return sync_api, found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser."""
    sync_api, path = browser_or_skip()
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The rules of accessibility, as a script."""
    pytest.importorskip("axe_playwright_python", reason="no axe-core: pip install axe-playwright-python")
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()


class Served:
    """A server in a thread."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._socket.getsockname()[1]}{ROOT}/admin/workers"
        app = Starlette(routes=[Mount(ROOT, site.asgi)])
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: self._server.started)
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._site.probes.drain)
        self._server.should_exit = True
        self._thread.join()
        self._site.desk.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._server.serve([self._socket]))
        self._loop.close()


def make_app(path: Path, let_go: threading.Event) -> App:
    app = App(f"sqlite:///{path}")

    @app.task(name="mail.send", queue="email", retry=1)
    def send(to: str, n: int = 1) -> str:
        if to == "bad":
            raise ValueError(f"no mailbox {n}")
        return f"sent {n} to {to}"

    @app.task(name="site.build", queue="sites", retry=1)
    def build(pages: int) -> None:
        let_go.wait(600)

    @app.task(name="crm.sync", queue="crm", limits=[Limit("crm", concurrency=1, per="{tenant}")], fair_by="{tenant}")
    def sync(tenant: str) -> None: ...

    @app.routine(every="1h", name="tick")
    def tick() -> None: ...

    app.queue("email", concurrency=5, rate="100/min")
    app.breaker("stripe", Breaker(failures=1))
    del send, build, sync, tick
    return app


def seed(app: App) -> None:
    """Something of everything."""
    for n in range(70):
        app.enqueue_by_name("mail.send", {"to": "bad" if n % 7 == 0 else "ann", "n": n})
    work_off(app)
    app.enqueue_by_name("mail.send", {"to": "late"}, delay="1h")
    app.enqueue_by_name("mail.send", {"to": "gone"}).cancel("not wanted")
    app.enqueue_by_name("crm.sync", {"tenant": "gold"}, queue="closed")
    app.schedules.upsert_by_name("nightly", "mail.send", {"to": "ann"}, cron="0 3 * * *")
    app.queues["crm"].pause("a storm", by="ann")
    app.breakers["stripe"].open("it is down", by="ann")
    app.webhooks.add("https://hooks.example.com/in", ["job.dead"], name="ops")
    app.webhooks["ops"].test()
    app.dead.resolve(app.dead.list()[0].id, by="ann", note="was nothing")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """With one worker, which holds a job until the end."""
    let_go = threading.Event()
    with make_app(tmp_path_factory.mktemp("browser") / "jobs.db", let_go) as app:
        seed(app)
        held = app.enqueue_by_name("site.build", {"pages": 3})
        with app.worker(queues=["sites"]):
            until(lambda: held.info().state == "running")
            yield app
            let_go.set()


@pytest.fixture(scope="module")
def served(app: App) -> Iterator[str]:
    """The address of the dashboard."""
    before, live.EVERY_S = live.EVERY_S, EVERY_S
    with Served(make_site(app, open_to_all=True)) as server:
        yield server.base
    live.EVERY_S = before


@pytest.fixture
def errors() -> list[str]:
    """What the console of the browser has complained of, and scripts have raised."""
    return []


@pytest.fixture
def new_page(browser: Any, errors: list[str]) -> Iterator[Callable[..., Any]]:
    """Opens pages, each in a browser profile of its own: `new_page(color_scheme="dark")`."""
    opened: list[Any] = []

    def make(**more: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **more})
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in opened:
        context.close()
