"""Who comes in over HTTP: tokens, links that are used once, sign-ins, what was done, requests that count once."""

from relet.clock import DAY, HOUR, SECOND
from relet.store.doors import OnceRow
from relet.store.port import Store
from tests.store.beds import Bed
from tests.store.hands import IDS

MINUTE = 60 * SECOND


def add(store: Store, token_id: str = "t1", kind: str = "token", expires_at: int | None = None) -> None:
    store.add_token(token_id, "ci", kind, f"hash of {token_id}", "operator", ["jobs.*"], "ann", expires_at)


def test_a_token_is_found_by_its_hash_until_it_expires(bed: Bed, store: Store):
    add(store, expires_at=store.now() + HOUR)
    found = store.find_token("hash of t1")
    assert found is not None
    assert (found.id, found.name, found.role, found.scopes, found.created_by) == (
        "t1",
        "ci",
        "operator",
        ("jobs.*",),
        "ann",
    )
    assert store.find_token("hash of another") is None

    bed.advance(HOUR)
    assert store.find_token("hash of t1") is None


def test_a_revoked_token_is_good_for_nothing_and_ends_its_sign_ins(store: Store, other: Store):
    add(store)
    store.open_visit("v1", "t1", "csrf", DAY)
    visit = other.find_visit("v1")
    assert visit is not None
    assert (visit.csrf, visit.token.id) == ("csrf", "t1")

    assert other.revoke_token("t1", "bob")
    assert store.find_token("hash of t1") is None
    assert store.find_visit("v1") is None
    assert not store.revoke_token("t1", "bob")
    assert [(row.revoked_by, row.id) for row in store.tokens()] == [("bob", "t1")]


def test_the_use_of_a_token_is_told_once_a_minute(bed: Bed, store: Store):
    add(store)
    first = store.now()
    store.find_token("hash of t1")
    bed.advance(59 * SECOND)
    store.find_token("hash of t1")
    assert store.tokens()[0].used_at == first
    bed.advance(2 * SECOND)
    store.find_token("hash of t1")
    assert store.tokens()[0].used_at == first + 61 * SECOND


def test_a_link_lets_one_in_and_its_sign_in_goes_on(store: Store, other: Store):
    add(store, "l1", "link", expires_at=store.now() + MINUTE)
    assert store.find_token("hash of l1") is None, "a link is no token"
    assert store.tokens() == []
    assert store.redeem_link("hash of l1", "v1", "csrf", DAY)
    assert not other.redeem_link("hash of l1", "v2", "csrf", DAY)
    assert other.find_visit("v2") is None
    assert other.find_visit("v1") is not None
    assert [row.kind for row in store.tokens()] == ["link"]
    assert store.revoke_token("l1", "bob")
    assert other.find_visit("v1") is None, "whoever came by a link can be sent away"


def test_a_link_that_is_over_lets_nobody_in(bed: Bed, store: Store):
    add(store, "l1", "link", expires_at=store.now() + MINUTE)
    bed.advance(MINUTE)
    assert not store.redeem_link("hash of l1", "v1", "csrf", DAY)


def test_a_sign_in_ends_by_itself_or_when_its_browser_signs_out(bed: Bed, store: Store):
    add(store)
    store.open_visit("v1", "t1", "csrf", HOUR)
    store.open_visit("v2", "t1", "csrf", DAY)
    bed.advance(HOUR)
    assert store.find_visit("v1") is None
    assert store.end_visit("v2")
    assert not store.end_visit("v2")
    assert store.find_visit("v2") is None


def test_what_is_done_is_written_before_and_after_it_is_done(store: Store):
    first, second = IDS.jobs(2)
    store.begin_audit(first, "ann", "operator", "api", "queues.pause", "email", '{"queue":"email"}', "flood")
    store.begin_audit(second, "bob", "admin", "page", "queues.resume", "email", "{}", "")
    store.end_audit(first, "done", 1, '{"state":"open"}', '{"state":"paused"}')

    newest, oldest = store.audits()
    assert (newest.who, newest.outcome, newest.done) == ("bob", None, None)
    assert (oldest.who, oldest.act, oldest.reason, oldest.outcome) == ("ann", "queues.pause", "flood", "done")
    assert (oldest.done, oldest.was, oldest.became) == (1, '{"state":"open"}', '{"state":"paused"}')
    assert [row.id for row in store.audits(limit=1, before=second)] == [first]
    assert [row.id for row in store.audits(subject="email", who="bob")] == [second]
    assert store.audits(act="jobs.cancel") == []


def test_a_request_with_a_key_is_remembered_with_its_answer(store: Store, other: Store):
    mine, theirs = IDS.jobs(2)
    assert store.begin_once("ann", "k", "request", mine) == OnceRow("request", mine, None, None)
    assert other.begin_once("ann", "k", "another", theirs) == OnceRow("request", mine, None, None)
    store.end_once("ann", "k", 201, '{"id":1}')
    assert other.begin_once("ann", "k", "request", theirs) == OnceRow("request", mine, 201, '{"id":1}')
    assert other.begin_once("bob", "k", "request", theirs).job_id == theirs


def test_what_is_over_is_forgotten(bed: Bed, store: Store):
    add(store)
    add(store, "l1", "link", expires_at=store.now() + MINUTE)
    (old,) = IDS.jobs(1)
    store.open_visit("v1", "t1", "csrf", HOUR)
    store.begin_audit(old, "ann", "admin", "api", "x", "y", "{}", "")
    store.begin_once("ann", "k", "r", old)
    assert store.prune_doors(old, DAY, 100) == 0

    bed.advance(2 * DAY)
    assert store.prune_doors(b"\xff" * 16, DAY, 100) == 4
    assert store.audits() == []
    assert [row.id for row in store.tokens()] == ["t1"]
