"""A run's effects on PostgreSQL. What the task itself asks of the server is none of our business: not how it is planned,
not how long it takes. From the settle on, our own limits hold again: others wait for the locks that it takes."""

from __future__ import annotations

from contextlib import suppress

import psycopg

from relet.clock import SECOND
from relet.job.settlement import Answer, Settle
from relet.store.effects import RelationalEffects
from relet.store.postgres.connection import DEADLINE_US, ORDINARY, STRICT
from relet.store.postgres.link import PostgresLink

PATIENCE_US = 24 * 3600 * SECOND


class PostgresEffects(RelationalEffects):
    """See `relet.store.port.Effects`."""

    def __init__(self, link: PostgresLink, session_id: bytes) -> None:
        super().__init__(link, session_id)
        try:
            with link.translated():
                self.connection.execute(ORDINARY)
        except BaseException:
            self.roll_back()
            raise
        self.connection.deadline_us = PATIENCE_US

    def settle(self, settle: Settle) -> Answer:
        self.connection.deadline_us = DEADLINE_US
        with suppress(psycopg.Error):  # what fails here fails again below, where it gets its name
            self.connection.execute(STRICT)
        return super().settle(settle)

    def roll_back(self) -> None:
        self.connection.deadline_us = DEADLINE_US
        super().roll_back()
