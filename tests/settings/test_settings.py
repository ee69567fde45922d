"""Settings are read from every source, in order, and refused when they are wrong or dangerous."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from relet.clock import SECOND
from relet.errors import SettingsError
from relet.job.limits import say_rule
from relet.settings import Settings, table
from relet.settings.table import TABLE


def load(tmp_path: Path, **sources: object) -> Settings:
    return Settings.load(**{"env": {}, "cwd": tmp_path, **sources})


def refused(tmp_path: Path, **sources: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, **sources)
    return str(caught.value)


def test_the_table_and_the_fields_are_the_same(tmp_path: Path) -> None:
    fields = [field.name for field in dataclasses.fields(Settings)]
    assert [setting.field for setting in TABLE] == fields[:-1]
    assert [row.name for row in table()] == [setting.name for setting in TABLE]


def test_every_default_passes_its_own_check(tmp_path: Path) -> None:
    settings = load(tmp_path)
    for setting in TABLE:
        assert setting.check(getattr(settings, setting.field)) is None, setting.name
        assert setting.check(setting.instead) is None, setting.name
        assert settings.source(setting.name) == "default"


def test_what_the_reference_proposes_can_be_read_back(tmp_path: Path) -> None:
    for setting in TABLE:
        shown = setting.kind.show(setting.instead)
        assert getattr(load(tmp_path, flags={setting.name: shown}), setting.field) == setting.instead, setting.name


def test_a_flag_beats_code_beats_environment_beats_pyproject_beats_relet_toml(tmp_path: Path) -> None:
    (tmp_path / "relet.toml").write_text('lease = "11s"')
    assert load(tmp_path).lease_us == 11 * SECOND
    (tmp_path / "pyproject.toml").write_text('[tool.relet]\nlease = "12s"')
    assert load(tmp_path).lease_us == 12 * SECOND
    env = {"RELET_LEASE": "13s"}
    assert load(tmp_path, env=env).lease_us == 13 * SECOND
    assert load(tmp_path, env=env, code={"lease": 14}).lease_us == 14 * SECOND
    settled = load(tmp_path, env=env, code={"lease": 14}, flags={"lease": "15s"})
    assert (settled.lease_us, settled.source("lease")) == (15 * SECOND, "flag --lease")


def test_each_key_comes_from_the_strongest_source_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "relet.toml").write_text('slots = 4\npoll = "1s"')
    (tmp_path / "pyproject.toml").write_text("[tool.relet]\nslots = 5")
    settings = load(tmp_path, flags={"slots": None})
    assert (settings.slots, settings.poll_us) == (5, SECOND)
    assert settings.source("poll") == str(tmp_path / "relet.toml")


def test_files_are_found_above_the_present_directory(tmp_path: Path) -> None:
    (tmp_path / "relet.toml").write_text("slots = 7")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert load(below).slots == 7


def test_a_relative_database_in_a_file_lies_beside_that_file(tmp_path: Path) -> None:
    (tmp_path / "relet.toml").write_text('url = "sqlite:///jobs.db"')
    below = tmp_path / "a"
    below.mkdir()
    assert load(tmp_path).url == "sqlite:///jobs.db"
    assert load(below).url == f"sqlite:///{tmp_path}/jobs.db"


def test_a_pyproject_of_another_project_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["relet"]\n[tool.other]\nslots = 1')
    assert load(tmp_path).slots == 10


def test_worker_variables_of_other_systems_work_too(tmp_path: Path) -> None:
    settings = load(tmp_path, env={"WORKER_ID": "worker-1", "MAX_CONCURRENT_JOBS": "3"})
    assert (settings.worker, settings.slots) == ("worker-1", 3)
    assert load(tmp_path, env={"WORKER_MAX_JOBS": "4", "MAX_CONCURRENT_JOBS": "3"}).slots == 4
    assert load(tmp_path, env={"RELET_SLOTS": "5", "WORKER_MAX_JOBS": "4"}).slots == 5


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    assert load(tmp_path, env={"RELET_LEASE": "", "WORKER_ID": ""}).lease_us == 90 * SECOND


def test_a_short_lease_shortens_heartbeat_and_poll(tmp_path: Path) -> None:
    settings = load(tmp_path, env={"RELET_LEASE": "3s"})
    assert (settings.heartbeat_us, settings.poll_us) == (SECOND, 750_000)


def test_an_override_works_out_anew_what_follows_from_it(tmp_path: Path) -> None:
    settings = load(tmp_path, env={"RELET_SLOTS": "4"}).override({"lease": "3s", "poll": None})
    assert (settings.lease_us, settings.heartbeat_us, settings.slots) == (3 * SECOND, SECOND, 4)


def test_queues_are_written_alike_in_every_source(tmp_path: Path) -> None:
    (tmp_path / "relet.toml").write_text("[queues]\nemail = 5\ndefault = 1")
    asked = {"email": 5, "default": 1}
    assert load(tmp_path).queues == asked
    assert load(tmp_path, env={"RELET_QUEUES": "email=5, default"}).queues == asked
    assert load(tmp_path, flags={"queues": ["email=5", "default"]}).queues == asked
    assert load(tmp_path, flags={"queues": "*=2"}).queues == {"*": 2}


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ({"env": {"RELET_HEARTBEAT": "40s"}}, ("RELET_HEARTBEAT", "third of the lease", "RELET_HEARTBEAT=30s")),
        ({"flags": {"lease": 0.5}}, ("--lease", "shorter than 1s", "--lease 1m30s")),
        ({"flags": {"lease": "60s", "poll": "60s"}}, ("--poll", "not shorter than the lease", "--poll 2s")),
        ({"env": {"MAX_CONCURRENT_JOBS": "0"}}, ("MAX_CONCURRENT_JOBS", "nothing would ever run")),
        ({"env": {"RELET_SLOTS": "many"}}, ("RELET_SLOTS", "'many'", "whole number")),
        ({"env": {"RELET_LEASE": "soon"}}, ("RELET_LEASE", "'soon'", "not a duration")),
        ({"env": {"RELET_LEAES": "5s"}}, ("RELET_LEAES", "RELET_LEASE")),
        ({"env": {"RELET_URL": "mysql://h/db"}}, ("RELET_URL", "mysql", "postgresql")),
        ({"env": {"RELET_URL": "sqlite:///\udcff"}}, ("RELET_URL", "no text")),
        ({"env": {"WORKER_ID": "a\x1b[2Jb"}}, ("WORKER_ID", "control character")),
        ({"flags": {"queues": "email=0"}}, ("--queues", "share 0")),
        ({"flags": {"queues": "=3"}}, ("--queues", "empty")),
        ({"flags": {"offers": "a=b=c"}}, ("--offers",)),
        ({"flags": {"log_format": "xml"}}, ("--log-format", "pretty, json")),
        ({"flags": {"keep_finished": "10s"}}, ("--keep-finished", "shorter than the lease")),
        ({"flags": {"max_payload": "1G"}}, ("--max-payload", "64M")),
        ({"code": {"slotz": 3}}, ("slotz", "Did you mean slots")),
    ],
)
def test_a_wrong_value_is_refused_with_source_reason_and_remedy(
    tmp_path: Path, sources: dict[str, object], words: tuple[str, ...]
) -> None:
    text = refused(tmp_path, **sources)
    assert all(word in text for word in words), text
    assert "\x1b" not in text


def test_an_unknown_key_of_a_file_is_refused_with_the_closest_one(tmp_path: Path) -> None:
    (tmp_path / "relet.toml").write_text('leese = "5s"')
    text = refused(tmp_path)
    assert "leese" in text
    assert "relet.toml" in text
    assert "lease" in text


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "relet.toml").write_text("lease = = 5")
    assert "not valid TOML" in refused(tmp_path)


def test_a_remedy_is_written_as_its_source_writes_it(tmp_path: Path) -> None:
    (tmp_path / "relet.toml").write_text('lease = "0.2s"')
    assert 'Write lease = "1m30s"' in refused(tmp_path)
    (tmp_path / "relet.toml").write_text("slots = 0")
    assert "Write slots = 10" in refused(tmp_path)


def test_variables_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    assert load(tmp_path, env={"RELET_HOME": "/x", "RELET_DEMO_LEDGER": "y"}).slots == 10


def test_secrets_of_the_url_are_never_shown(tmp_path: Path) -> None:
    settings = load(tmp_path, env={"RELET_URL": "postgresql://ann:geheim@db/jobs"})
    assert "geheim" in settings.url
    assert "geheim" not in f"{settings!r} {settings} {settings.shown_url}"
    assert "geheim" not in refused(tmp_path, env={"RELET_URL": "mysql://ann:geheim@db/jobs"})


def test_a_relet_toml_in_the_shape_of_a_pyproject_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "relet.toml").write_text("[tool.relet]\nslots = 3\n")
    assert "under no table" in refused(tmp_path)


def test_limits_are_read_from_toml_and_from_one_text(tmp_path: Path) -> None:
    (tmp_path / "relet.toml").write_text(
        '[queue_limits.lead]\nconcurrency = 5\nrate = "50/min"\n[queue_limits.mail]\nper_worker = 2\n'
    )
    limits = load(tmp_path).queue_limits
    assert {queue: say_rule(rule) for queue, rule in limits.items()} == {"lead": "5 50/min", "mail": "2/worker"}
    again = load(tmp_path, env={"RELET_QUEUE_LIMITS": "lead=5 50/min,mail=2/worker"})
    assert again.queue_limits == limits


@pytest.mark.parametrize("text", ["lead", "lead=fast", "lead=0", "=5", "lead=5 6"])
def test_limits_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    assert "RELET_QUEUE_LIMITS" in refused(tmp_path, env={"RELET_QUEUE_LIMITS": text})
