"""Statements as the server sees them."""

import psycopg
import pytest

from relet.errors import SettingsError
from relet.store.postgres.address import Address
from relet.store.postgres.link import statements
from tests.store.postgres.conftest import Raw


def test_the_server_takes_every_statement_with_the_types_that_its_parameters_have(raw: Raw):
    for name, statement in statements("relet").items():
        raw.execute(f'prepare "{name}" as '.encode() + statement.sql)


def test_a_schema_of_another_name_is_named_in_every_statement(raw: Raw):
    raw.execute("alter schema relet rename to other_jobs")

    for name, statement in statements("other_jobs").items():
        raw.execute(f'prepare "{name}" as '.encode() + statement.sql)
        assert b"relet." not in statement.sql


@pytest.mark.parametrize("schema", ["Jobs", "a-b", "x;drop table y", "", "1a", "é"])
def test_a_schema_that_would_need_quotes_is_refused(schema: str):
    with pytest.raises(SettingsError, match="schema"):
        Address.parse(f"postgresql://h/db?schema={schema}")


def test_secrets_are_for_libpq_alone():
    address = Address.parse("postgresql://ann:s3cret@one:1,two:2/jobs?sslpassword=s3cret&schema=mine&sslmode=require")

    assert address.shown == "postgresql://ann@one:1,two:2/jobs?schema=mine&sslmode=require"
    given = psycopg.conninfo.conninfo_to_dict(address.conninfo)
    assert (given["password"], given["sslpassword"], given["host"]) == ("s3cret", "s3cret", "one,two")
    assert "schema" not in given


def test_a_url_that_libpq_does_not_take_is_refused_without_quoting_it():
    with pytest.raises(SettingsError) as refused:
        Address.parse("postgresql://ann:s3cret@h/db?sslmod=require")

    assert "s3cret" not in "".join(map(str, (refused.value, refused.value.__cause__, refused.value.__context__)))
