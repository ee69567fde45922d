"""A worker by hand, and a database to work on."""

from relet import App
from relet.clock import Ids, SystemClock
from relet.testing.hand import Hand


def migrated(url: str) -> None:
    """Make our tables in a PostgreSQL database."""
    from relet.store.postgres.open import migrate_postgres

    migrate_postgres(url)


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
