"""A worker by hand."""

from relet import App
from relet.clock import Ids, SystemClock
from relet.testing.hand import Hand


def work_off(app: App) -> int:
    """Run every job of the app that is due; returns how many."""
    clock = SystemClock()
    hand = Hand(app.open_store, Ids().session(), app.tasks, clock, 90_000_000, ())
    runs = 0
    try:
        while (claim := hand.claim(tuple(app.tasks))) is not None:
            hand.settle(*hand.run(claim))
            runs += 1
    finally:
        with app.shared.use() as store:
            store.end_session(hand.session_id, "test over")
        hand.close()
    return runs
