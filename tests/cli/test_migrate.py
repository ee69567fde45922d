"""`relet migrate` on SQLite and PostgreSQL: how it stands, what is missing, and doing it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli


def test_plan_shows_the_missing_steps_and_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    found = cli("migrate", "plan", "--url", url, "--json").json
    assert [step["name"] for step in found["steps"]][:1] == ["foundation"]
    assert (found["version"], found["usable"]) == (0, False)
    assert not (tmp_path / "new.db").exists()
    assert cli("migrate", "status", "--url", url).status == 6


def test_apply_brings_it_up_to_date_once(cli: Cli, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    first = cli("migrate", "--url", url, "--json")
    assert first.status == 0
    assert first.json["applied"] >= 1
    assert first.json["usable"] is True
    assert cli("migrate", "apply", "--url", url, "--json").json["applied"] == 0
    assert cli("migrate", "status", "--url", url).status == 0


def test_postgres_is_refused_until_it_was_migrated(cli: Cli, pg_url: str) -> None:
    refused = cli("jobs", "ls", "--url", pg_url)
    assert refused.status == 4
    assert "relet migrate" in refused.err
    assert cli("migrate", "plan", "--url", pg_url, "--json").json["version"] == 0
    assert cli("migrate", "--url", pg_url).status == 0
    assert cli("jobs", "ls", "--url", pg_url).status == 0
    assert cli("status", "--url", pg_url, "--json").json["problems"] == []
    findings = {one["check"]: one for one in cli("doctor", "--url", pg_url, "--json").json["findings"]}
    assert {one["level"] for one in findings.values()} <= {"ok", "note"} | (
        {"warning"} & {findings["durability"]["level"]}
    )
    assert findings["wake-ups"]["found"] == "LISTEN works"
    assert findings["engine"]["found"].startswith("postgresql")
