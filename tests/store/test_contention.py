"""What the engine asks to repeat is repeated, within reason."""

import pytest

from relet.errors import Contended
from relet.store.contention import WAITS_US, repeated


class Verb:
    """A verb that is contended so many times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.calls = 0

    @repeated
    def call(self, answer: str) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
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
