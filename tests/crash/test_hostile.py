"""Names and payloads made to hurt, and rows that somebody has rewritten: alike at every door, and a worker goes on."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
import psycopg
import pytest

from relet.cli import main
from relet.errors import PayloadError, UsageError
from relet.job.state import State
from relet.store.rows import DeadFilter
from tests.crash import tasks
from tests.crash.scene import Scene
from tests.support.waiting import until

ALLOWED = [
    "o'rders",
    '"; drop table relet.job; --',
    "'); delete from relet_job; --",
    "100% %s %(x)s {y}",
    "../../etc/passwd",
    "$1 :queue ?1 @p",
    "back\\slash",
    "🙂 é\u0301",
    "NULL",
    "q" * 63 + "a",
    "q" * 63 + "b",
    "Ω" * 64,
]
REFUSED = [
    "",
    " padded",
    "padded ",
    "two\nlines",
    "nul\0",
    "\x1b[2J",
    "turned\u202eback",
    "lone \ud800",
    "line\u2028separator",
    "x" * 10_000,
    "Ω" * 129,
]


@pytest.fixture
def cli(scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """The command line on the scene's store: (exit status, standard output, standard error)."""
    monkeypatch.setenv("RELET_URL", scene.url)
    monkeypatch.chdir(scene.folder)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(words)
        return status, *capsys.readouterr()

    yield run
    tasks.app.settings = tasks.app.settings.override({"url": scene.url})


def enqueue(cli: Any, *words: str) -> tuple[int, str, str]:
    found: tuple[int, str, str] = cli("enqueue", "-A", "tests.crash.tasks:app", "--url", tasks.app.url, *words)
    return found


# ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_odd_names_are_names_like_others_at_every_door(scene: Scene, cli: Any) -> None:
    made = [
        tasks.add.options(queue=name, unique=_template(name), tags={"t": name}).enqueue(n, 1)
        for n, name in enumerate(ALLOWED)
    ]
    for n, name in enumerate(ALLOWED):
        status, _, err = enqueue(cli, "add", f"a={n}", "b=2", f"--queue={name}")
        assert status == 0, err
        status, _, err = cli("queues", "pause", "--reason", name, "--", name)
        assert status == 0, err
        stats = tasks.app.queues[name].status()
        assert (stats.name, stats.ready, stats.pause_reason) == (name, 2, name)
        assert tasks.app.queues[name].resume()
        tasks.app.queues[name].close(name)
        assert tasks.app.queues[name].resume()
    listed = json.loads(cli("queues", "ls", "--json")[1])["queues"]
    assert sorted(queue["name"] for queue in listed) == sorted(ALLOWED)
    scene.worker(worker=ALLOWED[1])
    assert [job.result("20s") for job in made] == [n + 1 for n in range(len(ALLOWED))]
    until(lambda: scene.rows("select count(*) from relet.finished") == [(2 * len(ALLOWED),)])
    assert {row.worker for row in map(scene.row, made)} == {ALLOWED[1]}
    assert [scene.row(job).queue for job in made] == ALLOWED


def _template(name: str) -> str:
    """The key template that stands for this key: braces mean arguments."""
    return name.replace("{", "{{").replace("}", "}}")


def test_bad_names_are_refused_at_every_door_and_nothing_is_written(scene: Scene, cli: Any) -> None:
    for name in REFUSED:
        _refused_at_every_door(name)
        status, out, err = enqueue(cli, "add", "a=1", "b=1", f"--queue={name}")
        assert (status, out) == (2, ""), err
        assert "Traceback" not in err
        assert "\x1b" not in err
        assert cli("queues", "pause", "--", name)[0] == 2
    assert scene.rows("select count(*) from relet.job") == [(0,)]
    assert scene.rows("select count(*) from relet.queue") == [(0,)]


def _refused_at_every_door(name: str) -> None:
    doors: list[Any] = [
        lambda: tasks.add.options(queue=name).enqueue(1, 1),
        lambda: tasks.app.queues[name],
        lambda: tasks.app.enqueue_by_name(name * 2, {}),
        lambda: tasks.app.worker(worker=name if name == name.strip() else "\n"),
        lambda: tasks.add.options(tags={"t": name}).enqueue(1, 1),
        lambda: tasks.add.options(requires={"gpu": name}).enqueue(1, 1),
        lambda: tasks.app.task(name=name * 2)(_template),
    ]
    for number, door in enumerate(doors):
        with pytest.raises(UsageError):
            assert door() is None, f"door {number} let {name!r} in"


def test_star_names_no_queue(scene: Scene, cli: Any) -> None:
    with pytest.raises(UsageError):
        tasks.add.options(queue="*").enqueue(1, 1)
    assert enqueue(cli, "add", "a=1", "b=1", "--queue=*")[0] == 2


# ── payloads ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


CARRIED: list[Any] = [
    *(-0.0, 2**53 + 1, -(2**63), 2**63 - 1, 1e308, 5e-324, 0.1 + 0.2, "🙂\u2028\x7f", "", {"": ""}, [], None, True),
    *(_nested(98), "x" * 250_000, {"__class__": "os.system", "$type": "x"}, "'); drop table relet.job; --"),
]
NOT_CARRIED: list[tuple[Any, str]] = [
    (float("nan"), "NaN"),
    (float("inf"), "Infinity"),
    (float("-inf"), "-Infinity"),
    (1e400, "1e400"),
    (2**63, str(2**63)),
    (-(2**63) - 1, str(-(2**63) - 1)),
    (10**5000, "1" + "0" * 5000),
    ("nul \0", '"nul \\u0000"'),
    ("lone \ud800", '"lone \\ud800"'),
    ({"\0": 1}, '{"\\u0000": 1}'),
    (_nested(101), "[" * 101 + "]" * 101),
    ("x" * 300_000, '"' + "x" * 300_000 + '"'),
]


def test_what_can_be_carried_comes_back_exactly(scene: Scene) -> None:
    scene.worker()
    made = [tasks.echo.enqueue(value) for value in CARRIED]
    for value, job in zip(CARRIED, made, strict=True):
        back = job.result("20s")
        assert (back, type(back)) == (value, type(value))
        assert isinstance(value, dict) or repr(back) == repr(value), "to the last bit; members come sorted"


def test_what_cannot_be_carried_is_refused_before_anything_is_written(scene: Scene, cli: Any) -> None:
    for value, text in NOT_CARRIED:
        with pytest.raises(PayloadError, match="Nothing was written"):
            tasks.echo.enqueue(value)
        with pytest.raises(PayloadError, match="call 1"):
            tasks.app.enqueue_many([tasks.echo.call(1), tasks.echo.call(value), tasks.echo.call(2)])
        with pytest.raises(UsageError):
            tasks.app.enqueue_by_name("nobody.knows", {"value": value})
        if len(text) < 100_000:
            status, out, err = enqueue(cli, "echo", f"value:={text}")
            assert (status, out) == (2, ""), f"{text[:50]}: {err}"
            assert "Traceback" not in err
    assert scene.rows("select count(*) from relet.job") == [(0,)]


def test_member_that_is_given_twice_is_refused_on_the_command_line(scene: Scene, cli: Any) -> None:
    status, _, err = enqueue(cli, "add", '{"a": 1, "b": 2, "a": 3}')
    assert status == 2, "which of the two was meant?"
    assert "twice" in err
    assert enqueue(cli, "echo", 'value:={"x": 1, "x": 2}')[0] == 2


def test_batches_of_none_one_and_many_are_all_or_nothing(scene: Scene) -> None:
    assert tasks.app.enqueue_many([]) == []
    assert len(tasks.app.enqueue_many([tasks.add.call(1, 1)])) == 1
    calls = [tasks.add.call(n, 1) for n in range(20_000)]
    assert len(tasks.app.enqueue_many(calls)) == 20_000
    bad: list[Any] = [*calls[:500], tasks.add.call("x", 1)]  # type: ignore[arg-type]  that is the mistake
    with pytest.raises(PayloadError, match="call 500"):
        tasks.app.enqueue_many(bad)
    assert scene.rows("select count(*) from relet.job") == [(20_001,)]


# ── rows that somebody has rewritten ──────────────────────────────────────────────────────────────────────────────────
def good_goes_on(scene: Scene) -> None:
    """A worker takes the good jobs, before and behind a bad one."""
    first = tasks.add.enqueue(1, 1)
    assert first.result("5s") == 2
    assert not scene.told("worker.defect")


def test_task_that_is_renamed_to_a_function_of_the_system_is_never_called(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "owned"
    job = tasks.touch.enqueue(str(file))
    arguments = json.dumps({"command": f"touch {file}", "file": str(file)})
    for table, column in (("job", "id"), ("ready", "job_id")):
        scene.rows(f"update relet.{table} set task = 'os.system' where {column} = {_literal(scene, job)}")
    scene.rows(f"update relet.job set args = '{arguments}'")
    scene.worker()
    good_goes_on(scene)
    row = scene.row(job)
    assert (row.state, row.epoch) == (State.READY, 0), "nobody knows such a task"
    assert not file.exists()
    assert any("os.system" in line for line in tasks.app.why(job.id))


def _literal(scene: Scene, job: Any) -> str:
    return f"x'{job.id.hex}'" if scene.engine == "sqlite" else f"'{job.id}'"


BAD_ARGS = (
    *("", "null", "[]", "{", '{"a": 1}', '{"a": "x", "b": 1}', '{"a": 1, "b": 1, "c": 1}'),
    *("gASVBQAAAAAAAABLBS4=", "[" * 10_000),
)


def test_arguments_that_cannot_be_read_fail_their_own_job(scene: Scene) -> None:
    made = tasks.app.enqueue_many([tasks.add.call(1, 2) for _ in BAD_ARGS])
    for job, args in zip(made, BAD_ARGS, strict=True):
        scene.rows(f"update relet.job set args = '{args}' where id = {_literal(scene, job)}")
    scene.worker()
    good_goes_on(scene)
    assert {(row.state, row.epoch) for row in map(scene.ended, made)} == {(State.DEAD, 1)}
    found = scene.store.insights.dead(DeadFilter())
    assert all("PayloadError" in dead.error or "argument" in dead.error for dead in found)


BAD_OPTIONS = ("", "{", "[]", "7", '{"max_attempts": "many"}', '{"timeout_us": -5}')


def test_options_that_cannot_be_read_fail_their_own_job(scene: Scene) -> None:
    made = tasks.app.enqueue_many([tasks.add.call(1, 2) for _ in BAD_OPTIONS])
    for job, options in zip(made, BAD_OPTIONS, strict=True):
        scene.rows(f"update relet.job set options = '{options}' where id = {_literal(scene, job)}")
    scene.skip_check = "the rows were made wrong on purpose"
    scene.worker()
    good_goes_on(scene)
    rows = [scene.ended(job) for job in made]
    assert {row.state for row in rows} <= {State.DEAD, State.SUCCEEDED}
    assert all(row.epoch <= 3 for row in rows)


@pytest.mark.parametrize("needs", ["{", '{"a": 1}'], ids=range(2))
def test_needs_that_cannot_be_read_stop_nobody_else(scene: Scene, needs: str) -> None:
    """Either the engine does not let them in, or the worker passes them by."""
    job = tasks.add.options(requires={"gpu": "a100"}).enqueue(1, 2)
    with suppress(apsw.ConstraintError, apsw.SQLError, psycopg.errors.IntegrityError, psycopg.errors.DataError):
        scene.rows(f"update relet.ready set needs = '{needs}'")
        scene.skip_check = "the rows were made wrong on purpose"
    scene.worker()
    good_goes_on(scene)
    assert scene.row(job).epoch == 0


BAD_NUMBERS = (
    *("ready set flags = 32767", "ready set epoch = -5", "ready set attempt = 32000", "ready set suspicions = 32000"),
    *("ready set ready_at = -9223372036854775808", "ready set rank = -2000000000"),
    *("job set priority = 2000000000", "job set created_at = 9223372036854775807"),
)


def test_numbers_out_of_range_stop_nobody_else(scene: Scene) -> None:
    made = tasks.app.enqueue_many([tasks.add.call(1, 2) for _ in BAD_NUMBERS])
    for job, change in zip(made, BAD_NUMBERS, strict=True):
        key = "id" if change.startswith("job") else "job_id"
        scene.rows(f"update relet.{change} where {key} = {_literal(scene, job)}")
    scene.skip_check = "the rows were made wrong on purpose"
    scene.worker()
    good_goes_on(scene)


@pytest.mark.parametrize("column", ["suspicions", "attempt", "ready_at", "flags"])
def test_column_takes_no_value_of_another_type(scene: Scene, column: str) -> None:
    """A number that is text would stop every worker that meets it: the engine does not let it in."""
    tasks.add.enqueue(1, 2)
    with pytest.raises((apsw.ConstraintError, psycopg.errors.DataError)):
        scene.rows(f"update relet.ready set {column} = 'many'")


def test_pointer_without_a_job_stops_nobody_else(scene: Scene) -> None:
    tasks.add.enqueue(1, 2)
    scene.rows("delete from relet.job")
    scene.skip_check = "the rows were made wrong on purpose"
    scene.worker()
    good_goes_on(scene)
