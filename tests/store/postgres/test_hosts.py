"""Several hosts in one URL: the one that can be written to is found, and found again."""

import time
from urllib.parse import urlsplit

import psycopg
import pytest

from relet.errors import StoreUnavailable
from relet.store.migrate import newest
from relet.store.postgres.open import migrate_postgres, open_postgres
from tests.store.hands import put_new
from tests.support.postgres import PostgresServer
from tests.support.proxy import PostgresProxy


def both(first: str, second: str, extra: str = "") -> str:
    """One URL for two servers."""
    one, two = urlsplit(first), urlsplit(second)
    return f"postgresql://postgres@{one.hostname}:{one.port},{two.hostname}:{two.port}{two.path}{extra}"


def test_a_host_that_refuses_is_passed_by(url: str):
    with PostgresProxy(url) as dead:
        dead.refuse()
        store = open_postgres(both(dead.url, url))

        assert store.now() > 0
        store.close()


def test_a_host_that_does_not_answer_costs_its_own_limit_and_is_passed_by(url: str):
    with PostgresProxy(url) as dead:
        dead.blackhole()
        begun = time.monotonic()
        store = open_postgres(both(dead.url, url, "?connect_timeout=2"))

        assert store.now() > 0
        assert time.monotonic() - begun < 6
        store.close()


def test_a_host_that_is_read_only_is_passed_by(url: str, own_pg: PostgresServer):
    own_pg.create_database()
    name = urlsplit(url).path.removeprefix("/")
    with psycopg.connect(own_pg.admin_url, autocommit=True) as admin:
        admin.execute(f'create database "{name}"')
        admin.execute("alter system set default_transaction_read_only = on")
        admin.execute("select pg_reload_conf()")
    store = open_postgres(both(own_pg.url(name), url))

    put_new(store)
    store.close()


def test_after_a_switch_the_next_call_goes_to_the_other_host(url: str):
    with PostgresProxy(url) as first, PostgresProxy(url) as second:
        store = open_postgres(both(first.url, second.url))
        put_new(store)
        first.refuse()
        with pytest.raises(StoreUnavailable):
            store.now()

        assert store.now() > 0
        store.close()


def test_when_no_host_answers_the_store_is_unavailable(url: str):
    with PostgresProxy(url) as first, PostgresProxy(url) as second:
        first.refuse()
        second.refuse()

        with pytest.raises(StoreUnavailable, match="Check the server and the URL"):
            open_postgres(both(first.url, second.url))


def test_the_migration_takes_several_hosts_too(pg_url: str):
    with PostgresProxy(pg_url) as dead:
        dead.refuse()

        assert migrate_postgres(both(dead.url, pg_url)) == newest("postgres")
