"""The proxy cuts exactly where it is told to, and is invisible elsewhere."""

import socket
import threading
from collections.abc import Iterator

import psycopg
import pytest

from tests.support.proxy import BACKEND, FRONTEND, PostgresProxy

COMMIT_DONE = {"kind": b"C", "containing": b"COMMIT"}


@pytest.fixture
def proxy(pg_url: str) -> Iterator[PostgresProxy]:
    with psycopg.connect(pg_url) as connection:
        connection.execute("create table mark (n int primary key)")
    with PostgresProxy(pg_url) as proxy:
        yield proxy


def _insert(proxy: PostgresProxy, number: int) -> None:
    with psycopg.connect(proxy.url) as connection:
        connection.execute("insert into mark values (%s)", (number,))


def _marks(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [number for (number,) in connection.execute("select n from mark order by n").fetchall()]


def test_proxy_passes_large_messages_unchanged(proxy: PostgresProxy) -> None:
    text = "x" * 3_000_000
    with psycopg.connect(proxy.url) as connection:
        row = connection.execute("select %s::text, generate_series(1, 2)", (text,)).fetchall()
        assert row == [(text, 1), (text, 2)]


def test_client_that_insists_on_tls_is_declined(proxy: PostgresProxy) -> None:
    with pytest.raises(psycopg.OperationalError, match="SSL"):
        psycopg.connect(proxy.url, sslmode="require")


def test_messages_are_counted_by_kind_and_direction(proxy: PostgresProxy) -> None:
    with psycopg.connect(proxy.url, autocommit=True) as connection:
        assert proxy.kinds(FRONTEND)[0] == b""
        proxy.forget()
        connection.execute("select 1", prepare=False)
        assert proxy.kinds(FRONTEND) == [b"P", b"B", b"D", b"E", b"S"] or proxy.kinds(FRONTEND) == [b"Q"]
        assert proxy.kinds(BACKEND)[-2:] == [b"C", b"Z"]


def test_cut_before_the_reply_loses_the_news_of_a_commit_that_stands(proxy: PostgresProxy, pg_url: str) -> None:
    trap = proxy.trap(BACKEND, **COMMIT_DONE)
    with pytest.raises(psycopg.OperationalError):
        _insert(proxy, 1)
    assert trap.sprung.is_set()
    assert _marks(pg_url) == [1]


def test_cut_after_the_reply_lets_the_commit_be_known(proxy: PostgresProxy) -> None:
    connection = psycopg.connect(proxy.url)
    connection.execute("insert into mark values (1)")
    trap = proxy.trap(BACKEND, kind=b"Z", when="after")
    connection.commit()
    assert trap.sprung.wait(5)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("select 1")
    connection.close()


def test_cut_before_the_commit_is_sent_rolls_back(proxy: PostgresProxy, pg_url: str) -> None:
    trap = proxy.trap(FRONTEND, containing=b"COMMIT")
    with pytest.raises(psycopg.OperationalError):
        _insert(proxy, 1)
    assert trap.sprung.is_set()
    assert _marks(pg_url) == []


def test_cut_after_the_commit_was_sent_still_commits(proxy: PostgresProxy, pg_url: str) -> None:
    proxy.trap(FRONTEND, containing=b"COMMIT", when="after")
    with pytest.raises(psycopg.OperationalError):
        _insert(proxy, 1)
    with psycopg.connect(pg_url) as connection:  # waits for the row if its transaction is still open
        connection.execute("insert into mark values (1) on conflict do nothing")
        assert connection.execute("select count(*) from mark").fetchone() == (1,)
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("direction", [FRONTEND, BACKEND])
def test_every_message_can_be_the_last(proxy: PostgresProxy, pg_url: str, direction: str, when: str) -> None:
    _insert(proxy, 0)
    count = len(proxy.kinds(direction))
    assert count >= 4
    for nth in range(1, count + 1):
        trap = proxy.trap(direction, nth, when=when)
        failed = False
        try:
            _insert(proxy, nth)
        except psycopg.OperationalError:
            failed = True
        assert trap.sprung.wait(5)
        assert failed or nth in _marks(pg_url)


def test_nth_counts_from_when_the_trap_was_laid(proxy: PostgresProxy, pg_url: str) -> None:
    _insert(proxy, 1)
    proxy.trap(BACKEND, 2, **COMMIT_DONE)
    _insert(proxy, 2)
    with pytest.raises(psycopg.OperationalError):
        _insert(proxy, 3)
    _insert(proxy, 4)
    assert _marks(pg_url) == [1, 2, 3, 4]


def test_blackhole_keeps_a_statement_waiting_until_it_is_restored(proxy: PostgresProxy, pg_url: str) -> None:
    trap = proxy.trap(BACKEND, **COMMIT_DONE, action="blackhole")
    thread = threading.Thread(target=_insert, args=(proxy, 1))
    thread.start()
    assert trap.sprung.wait(5)
    assert _marks(pg_url) == [1]
    assert thread.is_alive()
    proxy.restore()
    thread.join(5)
    assert not thread.is_alive()


def test_blackhole_holds_new_connections_without_closing_them(proxy: PostgresProxy) -> None:
    proxy.blackhole()
    with pytest.raises(psycopg.OperationalError, match="timeout"):
        psycopg.connect(proxy.url, connect_timeout=2)
    proxy.restore()
    _insert(proxy, 1)


def test_refusal_lasts_until_it_is_restored(proxy: PostgresProxy, pg_url: str) -> None:
    with psycopg.connect(proxy.url) as connection:
        proxy.refuse()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    with pytest.raises(psycopg.OperationalError):
        _insert(proxy, 1)
    proxy.restore()
    _insert(proxy, 2)
    assert _marks(pg_url) == [2]


def test_closed_proxy_leaves_no_thread_and_no_listener(pg_url: str) -> None:
    before = set(threading.enumerate())
    with PostgresProxy(pg_url) as proxy, psycopg.connect(proxy.url, autocommit=True) as connection:
        connection.execute("select 1")
        proxy.blackhole()
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port))
