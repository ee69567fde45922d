"""A pooler whose server goes away says so behind whatever it has passed on already, and then ends the connection.

Then one statement has two answers: its own, and the fatal one.
"""

from contextlib import nullcontext
from typing import Any, NamedTuple, cast

import pytest

from relet.errors import OutcomeUnknown, StoreUnavailable, Unconfirmed
from relet.store.open import open_store
from relet.store.postgres.address import Address
from relet.store.postgres.link import PostgresLink
from tests.crash.acts import ACTS
from tests.crash.line import Line
from tests.support.proxy import BACKEND

VERBS = [
    "enqueue_one",
    "enqueue_several",
    "enqueue_keyed",
    "claim",
    "settle_failure",
    "settle_and_claim",
    "cancel_ready",
    "renew",
]


@pytest.mark.parametrize("pooler", ["0", "1"])
@pytest.mark.parametrize("kind", [b"C", b"Z", b"D"])
@pytest.mark.parametrize("name", VERBS)
def test_verb_that_is_failed_behind_any_answer_tells_the_truth(line: Line, name: str, kind: bytes, pooler: str) -> None:
    line.url += f"&pooler={pooler}"
    store, act = line.opened(ACTS[name], warm=False), ACTS[name](line.stage)
    line.proxy.forget()
    act.call(store)
    reference, count = line.shape(act), line.proxy.kinds(BACKEND).count(kind)
    store.close()
    for nth in range(1, count + 1):
        for when in ("before", "after"):
            act = ACTS[name](line.stage)
            before, store = line.shape(act), open_store(line.url)
            trap = line.proxy.trap(BACKEND, nth, kind=kind, when=when, action="fail")
            try:
                act.call(store)
                allowed = [reference]
            except OutcomeUnknown:
                allowed = [before, reference]
            except StoreUnavailable:
                allowed = [before]
            assert trap.sprung.wait(5)
            store.close()
            line.all_gone()
            assert line.shape(act) in allowed, f"failed {when} {kind!r} number {nth}"
            (act.again or act.call)(line.store)
            assert line.shape(act) == reference, f"failed {when} {kind!r} number {nth}, then repeated"


class Notice(NamedTuple):
    """What a server warns of, as far as it is looked at."""

    source_function: str
    message_primary: str
    sqlstate: str = "57P01"
    severity_nonlocalized: str = "WARNING"


@pytest.mark.parametrize(
    ("notice", "told"),
    [
        (Notice("quickdie", "terminating connection due to immediate shutdown command"), nullcontext()),
        (Notice("SyncRepWaitForLSN", "canceling the wait for synchronous replication"), pytest.raises(Unconfirmed)),
    ],
)
def test_commit_that_was_answered_before_the_server_stopped_was_no_wait_for_a_standby(
    migrated_pg_url: str, notice: Notice, told: Any
) -> None:
    link = PostgresLink(Address.parse(migrated_pg_url))
    with told, link.alone() as tx:
        tx.all("session_now")
        link._warned(cast(Any, notice))  # pyright: ignore[reportPrivateUsage]  it came together with the answer
    link.close()
