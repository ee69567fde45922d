"""A site over a store with a few jobs, and clients of every kind."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from relet import App
from relet.web.site import make_site
from relet.web.tokens import Made, make_token
from relet.web.visitor import Role

ROOT = "http://testserver"


def make_app(url: str) -> App:
    app = App(url)

    @app.task(name="mail.send", queue="email", retry=1)
    def send(to: str, n: int = 1) -> str:
        if to == "bad":
            raise ValueError(f"no mailbox {to}")
        return f"sent {n} to {to}"

    @app.routine(every="1h", name="tick")
    def tick() -> None: ...

    del send, tick
    return app


@pytest.fixture
def app(shared_url: str) -> Iterator[App]:
    with make_app(shared_url) as app:
        yield app


@pytest.fixture
def open_site(app: App) -> Iterator[TestClient]:
    """Where nobody is asked who they are, as on loopback. The client is no browser."""
    with TestClient(make_site(app, open_to_all=True).asgi, base_url=ROOT, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def closed_site(app: App) -> Iterator[TestClient]:
    """Where everybody is asked."""
    with TestClient(make_site(app).asgi, base_url=ROOT, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def token(app: App) -> Callable[..., Made]:
    """Makes tokens: `token("operator", scopes=["jobs.*"])`."""

    def make(role: str = "viewer", name: str = "ann", **more: Any) -> Made:
        with app.shared.use() as store:
            return make_token(store, name, Role.read(role), "admin", **more)

    return make


@pytest.fixture
def bearer(token: Callable[..., Made]) -> Callable[..., dict[str, str]]:
    """Headers of a client with a new token."""

    def headers(role: str = "viewer", **more: Any) -> dict[str, str]:
        return {"authorization": f"Bearer {token(role, **more).text}"}

    return headers
