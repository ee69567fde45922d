"""Testing code that enqueues: the real engine on a SQLite in memory, and a clock that moves when told to.

    def test_an_order_is_charged():
        with relet_test(app) as t:
            place_order(7)
            t.assert_enqueued(charge, order_id=7)
            t.run_until_idle()
            assert t.result(charge, order_id=7).ok

With pytest, `relet_test` is a fixture: `t = relet_test(app)`. Jobs run in the calling thread, one after the other, through the
same decoding, settlement and fence as in a worker.
"""

from relet.testing.harness import Harness, inline, relet_test
from relet.testing.looking import Result

__all__ = ["Harness", "Result", "inline", "relet_test"]
