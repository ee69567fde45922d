"""One psycopg connection, set up so that nothing can hang: every wait ends, every statement has a deadline."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import Notify
from psycopg.abc import PQGen
from psycopg.errors import Diagnostic

from relet.clock import SECOND, SystemClock
from relet.store.postgres.address import Address
from relet.store.postgres.failures import DeadlinePassed

T = TypeVar("T")

DEADLINE_US = 15 * SECOND
"""How long the client waits for the answer to one statement."""
STATEMENT_MS = 14_000
"""The server's own limit comes first, so that it is the one to end a slow statement, and says so."""
LOCK_MS = 5_000

_HELLO = """
select pg_backend_pid(), pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
       current_setting('server_version_num')::int4, current_setting('default_transaction_isolation')
"""
LIMITS = {
    "statement_timeout": str(STATEMENT_MS),
    "lock_timeout": str(LOCK_MS),
    # A process that is paused in the middle of a transaction must not keep its locks: a reclaim waits for them.
    "idle_in_transaction_session_timeout": str(STATEMENT_MS),
}
PLAN = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_sort": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    "enable_memoize": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""What keeps the hot statements on their indexes, also while statistics say that a table is empty."""
ISOLATION = {"default_transaction_isolation": "read committed"}
"""What the verbs count on, whatever the database or the role has for others. Stricter ones make a turn that meets another
fail, and a statement that has waited for a lock would not see what it has waited for."""
ORDINARY = "; ".join(f"set local {name} to default" for name in (LIMITS | PLAN)).encode()
"""Within one transaction, limits and plans as the server's administrator wants them."""
STRICT = "; ".join(f"set local {name} = '{value}'" for name, value in (LIMITS | PLAN).items()).encode()
"""Within one transaction, as we do."""
_CLOCK = SystemClock()


class DeadlineConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that waits for the server no longer than the deadline."""

    deadline_us = DEADLINE_US

    def wait(self, gen: PQGen[T], *args: Any, **named: Any) -> T:
        """As psycopg's, but raises DeadlinePassed, and gives the connection up, when the server does not answer."""
        try:
            return super().wait(self._watched(gen), *args, **named)
        except DeadlinePassed:
            self.close()
            raise

    def _watched(self, gen: PQGen[T]) -> PQGen[T]:
        """The same steps, looking at the deadline whenever a wait ended with nothing."""
        deadline = _CLOCK.steady() + self.deadline_us
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and _CLOCK.steady() > deadline:
                    raise DeadlinePassed(f"no answer within {self.deadline_us / SECOND:g} s")
                wanted = gen.send(ready)
        except StopIteration as done:
            result: T = done.value
            return result

    @contextmanager
    def patience(self, us: int) -> Generator[None]:
        """Within the block, statements may take so long: for chores and migrations, which wait for nobody's slot."""
        self.deadline_us = us
        try:
            yield
        finally:
            self.deadline_us = DEADLINE_US


class Opened:
    """An open connection and what was learned about the server."""

    def __init__(self, connection: DeadlineConnection, *, pooled: bool, version: int, isolated: bool) -> None:
        self.connection = connection
        self.pooled = pooled
        self.version = version
        self.isolated = isolated
        """A statement that is its own transaction has another isolation than ours, unless that is set with it."""


def connect(address: Address, heard: Callable[[Notify], None], warned: Callable[[Diagnostic], None]) -> Opened:
    """Connect to a server that can be written to. Raises psycopg.Error."""
    connection = DeadlineConnection.connect(address.conninfo, autocommit=True, prepare_threshold=None)
    try:
        connection.add_notify_handler(heard)
        connection.add_notice_handler(warned)
        hello = connection.execute(_HELLO, binary=True).fetchone()
        pid, recovering, read_only, version, isolation = hello or (0, False, False, 0, "")
        if recovering or read_only:
            raise psycopg.errors.ReadOnlySqlTransaction("the server is read-only (a standby, or told to be)")
        # A pooler answers with a process id of its own.
        pooled = pid != connection.info.backend_pid if address.pooler is None else address.pooler
        if not pooled:
            for name, value in (LIMITS | PLAN | ISOLATION).items():
                connection.execute("select set_config(%s, %s, false)", (name, value))
    except BaseException:
        connection.close()
        raise
    isolated = pooled and isolation != ISOLATION["default_transaction_isolation"]
    return Opened(connection, pooled=pooled, version=version, isolated=isolated)
