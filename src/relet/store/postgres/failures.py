"""What PostgreSQL's errors mean for the data, and what to do."""

from __future__ import annotations

import psycopg

from relet.errors import (
    Contended,
    OutcomeUnknown,
    SchemaMismatch,
    StoreError,
    StoreFull,
    StoreUnavailable,
    Unstorable,
)

LOST = ("08", "57P")
"""Classes that say that the connection is gone, or going: connection exceptions, a server that shuts down or starts up."""
ENDED = ("25P03", "25P04")
"""The server ended the connection together with a transaction that was idle, or open, for too long: nothing was written,
even if the commit was on its way."""


class AlreadyThere(Unstorable):
    """A row that was to be new is there. Nothing was written. Never leaves the store."""


OF_DATA = ("21", "22", "23", "54")
"""Classes that speak of what was to be written: its count, its values, constraints, limits of the program."""

ILL = ("53", "58", "42501")
"""Beginnings of codes that speak of the server and not of the data: resources, its system, rights. What was to be written is
as good as before, and is not to be changed for them."""

_KINDS: dict[str, type[StoreError]] = {
    "23505": AlreadyThere,
    "40001": Contended,  # serialization failure
    "40P01": Contended,  # deadlock
    "55P03": Contended,  # lock timeout
    "57014": Contended,  # statement timeout
    "25P02": Contended,  # in a failed transaction: a statement before this one said why
    "53100": StoreFull,  # disk
    "53200": StoreFull,  # memory
    "25006": StoreUnavailable,  # read-only: a standby, or a primary that was told so
    "53300": StoreUnavailable,  # too many connections
    "55000": StoreUnavailable,  # not in the prerequisite state: in recovery
    "28000": StoreUnavailable,
    "28P01": StoreUnavailable,
    "3D000": StoreUnavailable,  # no such database
    "3F000": SchemaMismatch,
    "42P01": SchemaMismatch,
    "42703": SchemaMismatch,
    "42883": SchemaMismatch,
}
_ADVICE: dict[type[StoreError], str] = {
    Contended: "Nothing was written; repeat the call.",
    StoreFull: "Nothing was written, what was stored before is intact. Make room on the server and repeat the call.",
    StoreUnavailable: "Nothing was written. Check the server and the URL (relet doctor); repeating the call is safe.",
    OutcomeUnknown: "The write may or may not have happened. Repeating the same call is safe.",
    SchemaMismatch: "Nothing was written. Make or update its tables with: relet migrate",
}


class DeadlinePassed(psycopg.OperationalError):
    """The server did not answer within the client's own deadline. The connection is given up."""


def lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone with this error."""
    state = error.sqlstate
    return (state is None and isinstance(error, psycopg.OperationalError)) or (
        state is not None and state.startswith((*LOST, *ENDED))
    )


def translate(error: psycopg.Error, shown: str, *, committing: bool) -> StoreError:
    """The driver's error as ours. `committing`: a commit was on its way when the connection was lost."""
    state = error.sqlstate or ""
    kind = _KINDS.get(state) or _kind_of_class(state)
    if lost(error):
        kind = OutcomeUnknown if committing and error.sqlstate not in ENDED else StoreUnavailable
    advice = _ADVICE.get(kind, "Nothing was written. The message above is PostgreSQL's own.")
    return kind(f"PostgreSQL store {shown}: {_words(error)}. {advice}")


def _kind_of_class(state: str) -> type[StoreError]:
    if state.startswith(OF_DATA):
        return Unstorable
    return StoreUnavailable if state.startswith(ILL) else StoreError


def _words(error: psycopg.Error) -> str:
    """What was said, without the lines that quote data."""
    if error.sqlstate:
        return (error.diag.message_primary or type(error).__name__).rstrip(".")
    return " ".join(str(error).split()).rstrip(".")[:500] or type(error).__name__
