"""Waking a thread that waits."""

import threading
import time

import pytest

from relet.work.wake import Wake


@pytest.fixture(params=[False, True], ids=["eventfd", "sockets"])
def wake(request: pytest.FixtureRequest) -> Wake:
    return Wake(portable=request.param)


def test_wake_from_another_thread_ends_the_wait(wake: Wake) -> None:
    threading.Timer(0.05, wake.set).start()
    began = time.monotonic()
    wake.wait(10_000_000)
    assert 0.03 < time.monotonic() - began < 5
    wake.close()


def test_wake_that_comes_before_the_wait_is_not_lost(wake: Wake) -> None:
    for _ in range(3):
        wake.set()
    began = time.monotonic()
    wake.wait(10_000_000)
    assert time.monotonic() - began < 5
    began = time.monotonic()
    wake.wait(50_000)
    assert time.monotonic() - began >= 0.045, "several wakes are one"
    wake.close()


def test_other_descriptor_ends_the_wait(wake: Wake) -> None:
    other = Wake()
    other.set()
    wake.wait(10_000_000, (other.fileno(),))
    wake.close()
    other.close()


def test_wake_after_close_is_harmless(wake: Wake) -> None:
    wake.close()
    wake.set()
    wake.close()
