"""The pytest plugin: the fixture `relet_test`, which puts apps on a store in memory until the test ends.

def test_an_order_is_charged(relet_test):
    t = relet_test(app)
    place_order(7)
    t.run_until_idle()
    assert t.result(charge, order_id=7).ok
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from relet.app import App
    from relet.testing import Harness


@pytest.fixture
def relet_test() -> Generator[Callable[[App], Harness]]:
    """Makes a harness for an app: `t = relet_test(app)`. See `relet.testing`."""
    from relet.testing import relet_test as make

    with ExitStack() as stack:
        yield lambda app: stack.enter_context(make(app))
