"""What the engine asks to repeat is repeated, within reason."""

import pytest

from relet.clock import ManualClock
from relet.errors import Contended
from relet.store.contention import LONG_US, WAITS_US, repeated


class Verb:
    """A verb that is contended so many times, each after it has waited so long."""

    def __init__(self, times: int, waits_us: int = 0) -> None:
        self.left = times
        self.calls = 0
        self.real = ManualClock()
        self._waits_us = waits_us

    @repeated
    def call(self, answer: str) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            self.real.advance(self._waits_us)
            raise Contended("deadlock detected. Nothing was written.")
        return answer


def test_a_contended_verb_is_repeated_until_it_is_answered():
    verb = Verb(2)

    assert verb.call("done") == "done"
    assert verb.calls == 3


def test_a_verb_that_is_always_contended_says_so_in_the_end():
    verb = Verb(100)

    with pytest.raises(Contended):
        verb.call("done")

    assert verb.calls == len(WAITS_US) + 1


def test_a_verb_that_has_waited_for_long_is_not_made_to_wait_again():
    verb = Verb(1, LONG_US + 1)

    with pytest.raises(Contended):
        verb.call("done")

    assert verb.calls == 1
