"""`relet limits`: set, paused, resumed and forgotten, several at once."""

from __future__ import annotations

import pytest

from relet.job.limits import Rule, rule_of
from relet.shapes import schema
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms


@pytest.fixture(autouse=True)
def declared(shop: Shop) -> None:
    shop.store.declare_limits({"stripe": rule_of(1, "3/5s"), "mailer": rule_of(5)}, "code")


def test_a_rule_is_said_in_words(cli: Cli) -> None:
    assert "1 at once, 3/5s" in cli("limits", "ls").out
    assert "1 at once, 3/5s" in cli("limits", "show", "stripe").out


def test_several_limits_are_steered_at_once_and_told_in_one_shape(cli: Cli, shop: Shop) -> None:
    for argv, said in (
        (("set", "--rate", "9/min"), "set 2 limits"),
        (("pause", "--for", "5m"), "paused 2 limits"),
        (("resume",), "resumed 2 limits"),
        (("resume",), "nothing to be resumed: it is so already"),
        (("pause", "--key", "7"), "paused key 7 of 2 limits"),
        (("forget",), "forgotten 2 limits"),
    ):
        ran = cli("limits", argv[0], "stripe", "mailer", *argv[1:], "--json")
        assert said in ran.err
        assert [one["name"] for one in ran.json["limits"]] == ["stripe", "mailer"]
        assert all(conforms(one, schema.LimitOut) for one in ran.json["limits"])
    assert {row.rule for row in shop.store.insights.limits()} == {Rule()}


def test_nothing_is_done_if_one_of_them_is_not_there(cli: Cli, shop: Shop) -> None:
    ran = cli("limits", "pause", "stripe", "mialer")
    assert ran.status != 0
    assert "Did you mean 'mailer'?" in ran.err
    assert not any(row.paused_until for row in shop.store.insights.limits())


def test_a_new_name_that_looks_like_another_is_pointed_out(cli: Cli) -> None:
    slip = cli("limits", "set", "strype", "--concurrency", "2").err
    assert "limit strype is new: no worker has declared it" in slip
    assert "did you mean stripe? To take it back: relet limits forget strype" in slip
    assert "did you mean" not in cli("limits", "set", "elsewhere", "--concurrency", "2").err
    assert "is new" not in cli("limits", "set", "strype", "stripe", "--concurrency", "3").err
