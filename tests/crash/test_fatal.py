"""A pooler whose server goes away says so behind whatever it has passed on already, and then ends the connection.

Then one statement has two answers: its own, and the fatal one.
"""

from collections.abc import Iterator

import pytest

from relet.errors import OutcomeUnknown, StoreUnavailable
from relet.store.open import open_store
from tests.crash.acts import ACTS
from tests.crash.scene import Look
from tests.crash.test_wire import Line
from tests.store.invariants import check_invariants
from tests.support.proxy import BACKEND, PostgresProxy

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


@pytest.fixture
def line(migrated_url: str) -> Iterator[Line]:
    with PostgresProxy(migrated_url) as proxy:
        line = Line(migrated_url, proxy)
        try:
            yield line
        finally:
            line.close()
    check_invariants(Look(migrated_url))  # type: ignore[arg-type]  it asks for rows only


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
