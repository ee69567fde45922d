"""What stands for a session. A claim that has ended leaves a trace in the index until it is swept, which a snapshot that
somebody keeps open prevents: so a worker asks each second for the claims that it knows, and seldom for all."""

from __future__ import annotations

from relet.errors import Contended
from relet.store.breakers import tripped
from relet.store.link import Tx
from relet.store.port import Known
from relet.store.postgres.arrays import ids, integers
from relet.store.postgres.link import PostgresLink
from relet.store.records import Control, Renewed

LOOK_MS = 2_000
"""How long a renewal looks for all claims of its session before it is content with those that are known."""


def look(tx: Tx, session_id: bytes, known: Known = None) -> Renewed:
    """What stands, of the known claims or of all, and what people ask."""
    state = tx.all("session_state", session_id=session_id)
    if not state:
        return Renewed(live=False, now=int(tx.all("session_now")[0][0]))
    verb, now, live, some = state[0]
    if known is None:
        held = tx.all("session_held", session_id=session_id)
    else:
        known_ids, epochs = ids([job_id for job_id, _ in known]), integers([epoch for _, epoch in known])
        held = tx.all("session_known", session_id=session_id, known_ids=known_ids, epoch_integers=epochs)
    controls = tuple(Control(*row) for row in tx.all("session_controls", session_id=session_id))
    stand = tuple((job_id, epoch) for job_id, epoch in held)
    return Renewed(bool(live), now, stand, controls, verb, tripped(tx) if some else ())


def look_for_all(link: PostgresLink, session_id: bytes, known: Known) -> Renewed:
    """All that stands; where that takes too long, what is known to. A renewal has been accepted: this must not undo it."""
    try:
        with link.read() as tx:
            tx.connection.execute(f"set local statement_timeout = {LOOK_MS}".encode())
            return look(tx, session_id)
    except Contended:
        if known is None:
            raise
    with link.read() as tx:
        return look(tx, session_id, known)
