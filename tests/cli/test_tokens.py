"""`relet tokens`: who may use the HTTP API."""

from __future__ import annotations

from relet.web.endpoints.access import TokenOut
from relet.web.tokens import hash_of
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms


def test_a_token_is_printed_once_and_kept_as_a_hash(cli: Cli, shop: Shop) -> None:
    assert "relet tokens add" in cli("tokens", "ls").err
    made = cli("tokens", "add", "ci", "--role", "operator", "--scope", "jobs.*", "--json").json
    found = shop.store.find_token(hash_of(made["token"]))
    assert found is not None
    assert (found.name, found.role, found.scopes) == ("ci", "operator", ("jobs.*",))

    listed = cli("tokens", "ls", "--json")
    assert made["token"] not in listed.out
    (row,) = listed.json["tokens"]
    assert conforms(row, TokenOut)
    assert (row["id"], row["expires_at"] is not None) == (made["id"], True)
    assert "jobs.*" in cli("tokens", "ls").out


def test_only_the_text_of_a_token_goes_to_stdout(cli: Cli) -> None:
    made = cli("tokens", "add", "ci", "--lasts", "forever")
    assert made.out.strip().startswith("relet_")
    assert "not shown again" in made.err
    assert "for ever" in cli("tokens", "ls").out


def test_a_token_is_revoked(cli: Cli, shop: Shop) -> None:
    made = cli("tokens", "add", "ci", "--json").json
    assert cli("tokens", "revoke", made["id"]).status == 0
    assert shop.store.find_token(hash_of(made["token"])) is None
    again = cli("tokens", "revoke", made["id"])
    assert (again.status, "relet tokens ls" in again.err) == (3, True)
    assert cli("tokens", "add", "ci", "--lasts", "soon").status == 2
    assert cli("tokens", "add", "ci", "--scope", "").status == 2
