"""The connection to PostgreSQL is cut at every message of every verb, in both directions.

Whoever called is told the truth (done; nothing was written; nobody knows), and whoever asks again ends up where one
undisturbed call would have brought him. Never anywhere else.
"""

from typing import Any

import pytest

from relet.errors import OutcomeUnknown, StoreUnavailable
from relet.store.port import Store
from tests.crash.acts import ACTS, Act
from tests.crash.line import Line, Make, Shape


@pytest.mark.parametrize("name", ACTS)
def test_verb_cut_anywhere_is_done_or_not_and_can_be_repeated(line: Line, name: str) -> None:
    _cut_everywhere(line, ACTS[name], warm=False)


@pytest.mark.parametrize("name", ["enqueue_one", "claim", "settle_success", "settle_and_claim"])
def test_call_whose_statements_are_known_cut_anywhere_can_be_repeated(line: Line, name: str) -> None:
    _cut_everywhere(line, ACTS[name], warm=True)


def _cut_everywhere(line: Line, make: Make, *, warm: bool) -> None:
    cuts, reference = line.undisturbed(make, warm=warm)
    told = {_cut(line, make, warm, reference, cut) for cut in cuts}
    assert told & {"unknown", "nothing"}, "no cut was noticed"


def _cut(line: Line, make: Make, warm: bool, reference: Shape, cut: tuple[Any, bytes, int, Any]) -> str:
    store, act = line.opened(make, warm), make(line.stage)
    before = line.shape(act)
    side, kind, nth, when = cut
    trap = line.proxy.trap(side, nth, kind=kind, when=when)
    told = _told(act, store)
    assert trap.sprung.is_set()
    store.close()
    line.all_gone()
    after, point = line.shape(act), f"told {told!r}, cut {when} {kind!r} number {nth} of {side}"
    allowed = {"done": [reference], "nothing": [before], "unknown": [before, reference]}[told]
    assert after in allowed, f"{point}: {before} became {after}, and not {reference}"
    (act.again or act.call)(line.store)
    assert line.shape(act) == reference, f"{point}, then repeated"
    return told


def _told(act: Act, store: Store) -> str:
    try:
        act.call(store)
    except OutcomeUnknown:
        return "unknown"
    except StoreUnavailable:
        return "nothing"
    return "done"
