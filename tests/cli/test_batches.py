"""`relet batches`: what is listed and shown."""

from __future__ import annotations

from relet.shapes import schema
from tests.cli.conftest import Cli, Shop, text
from tests.cli.schema_check import conforms


def test_ls_and_show(cli: Cli, shop: Shop) -> None:
    old, _ = shop.batch("old", 0)
    batch, jobs = shop.batch("import", 3)
    shop.die_next()

    found = cli("batches", "ls", "--json").json
    assert [row["id"] for row in found["batches"]] == [text(batch), text(old)]
    assert all(conforms(row, schema.BatchOut) for row in found["batches"])
    assert [row[0] for row in cli("batches", "ls", "--open").rows] == [text(batch)]
    assert [row[0] for row in cli("batches", "ls", "--before", text(batch)).rows] == [text(old)]
    assert [row[0] for row in cli("batches", "ls", "--label", "old").rows] == [text(old)]

    shown = cli("batches", "show", text(batch), "--json").json
    assert (shown["batch"]["open"], shown["batch"]["dead"]) == (2, 1)
    assert shown["jobs"] == [text(jobs[0])]
    assert "33 %" in cli("batches", "show", text(batch), "--state", "open").out
    why = cli("why", text(batch))
    assert why.status == 3
    assert f"is a batch, not a job. See how far it is: relet batches show {text(batch)}" in " ".join(why.err.split())
    assert cli("batches", "show", "00000000-0000-0000-0000-000000000000").status == 3


def test_no_batches(cli: Cli, shop: Shop) -> None:
    assert "no batches match" in cli("batches", "ls").err
