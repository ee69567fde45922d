"""Where requests are worked on: what becomes of one that takes too long."""

import asyncio
from collections.abc import Iterator
from threading import Event

import pytest

from relet import App
from relet.errors import OutcomeUnknown, StoreUnavailable
from relet.store.port import Store
from relet.web.desk import Desk


@pytest.fixture
def desk(shared_url: str) -> Iterator[Desk]:
    with App(shared_url) as app:
        desk = Desk(app, threads=1)
        yield desk
        desk.close()


def test_what_takes_too_long_goes_on_and_what_was_not_begun_is_not_done(desk: Desk):
    go_on, done = Event(), list[str]()

    def slow(_store: Store) -> None:
        go_on.wait(10)
        done.append("slow")

    async def ask() -> None:
        with pytest.raises(OutcomeUnknown, match="has not answered"):
            await desk.run(slow, 10_000, late=OutcomeUnknown)
        with pytest.raises(StoreUnavailable, match="Nothing was done"):
            await desk.run(lambda _store: done.append("never"), 10_000, late=OutcomeUnknown)
        go_on.set()
        assert await desk.run(lambda store: store.now() > 0)

    asyncio.run(ask())
    assert done == ["slow"]
