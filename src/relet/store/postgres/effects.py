"""A run's effects on PostgreSQL. What the task itself asks of the server is none of our business: not how it is planned,
not how long it takes. From the settle on, our own limits hold again: others wait for the locks that it takes."""

from __future__ import annotations

from contextlib import suppress

import psycopg
from psycopg.errors import InFailedSqlTransaction

from relet.clock import SECOND
from relet.errors import UsageError
from relet.job.settlement import Answer, Settle
from relet.store.effects import RelationalEffects
from relet.store.postgres.connection import DEADLINE_US, ORDINARY, STRICT
from relet.store.postgres.failures import ENDED
from relet.store.postgres.link import PostgresLink
from relet.store.records import Notes

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

    def settle(self, settle: Settle, notes: Notes) -> Answer:
        self.connection.deadline_us = DEADLINE_US
        try:
            with suppress(psycopg.OperationalError):  # what fails so here fails again below, where it gets its name
                self.connection.execute(STRICT)
        except InFailedSqlTransaction as error:
            self.roll_back()
            raise UsageError(
                "A statement in ctx.transaction() failed, and the task went on. PostgreSQL commits nothing after that, so "
                "nothing was written. Let the error leave the function, or run the statement in a block of its own: "
                "with conn.transaction()."
            ) from error
        return super().settle(settle, notes)

    def lost_with(self, error: BaseException) -> bool:
        """A transaction that the server ended because the task left it idle, or open, for too long is the task's own doing."""
        ended = isinstance(error, psycopg.Error) and error.sqlstate in ENDED
        return self.connection.closed and not ended

    def roll_back(self) -> None:
        self.connection.deadline_us = DEADLINE_US
        super().roll_back()
