"""Declaring tasks: what is refused at once, and what a declared task is."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relet import App, Context, Retry
from relet.errors import DefinitionError, UsageError
from relet.task import AsyncTask, Task


@pytest.fixture
def app() -> App:
    return App("sqlite:///:memory:")


def plain(a: int, b: int = 1) -> int:
    """Adds."""
    return a + b


def test_a_task_is_named_by_its_import_path(app: App) -> None:
    task = app.task(plain)
    assert task.name == f"{__name__}.plain"
    assert app.tasks == {task.name: task}
    assert (task.__name__, task.__doc__) == ("plain", "Adds.")


def test_in_the_main_program_it_is_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(
        "from relet import App\napp = App()\n@app.task\ndef add() -> None: ...\nprint(add.name)\n"
    )
    by_file = subprocess.run([sys.executable, "jobs.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    by_module = subprocess.run([sys.executable, "-m", "jobs"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (by_file.stdout, by_module.stdout) == ("jobs.add\n", "jobs.add\n")


def test_making_an_app_touches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELET_LEASE", "nonsense")
    app = App(f"sqlite:///{tmp_path}/no/such/place.db")
    app.task(plain)
    assert list(tmp_path.iterdir()) == []


def test_without_a_url_the_settings_name_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELET_URL", f"sqlite:///{tmp_path}/env.db")
    with App():
        assert (tmp_path / "env.db").exists()


def test_a_declared_function_stays_callable(app: App) -> None:
    assert app.task(plain)(1, b=2) == 3


def test_called_directly_a_task_gets_a_context_that_leads_nowhere(app: App) -> None:
    @app.task
    def halfway(ctx: Context, n: int) -> int:
        ctx.progress(50)
        ctx.lease.check()
        return n

    assert halfway(7) == 7


def test_coroutine_functions_make_async_tasks(app: App) -> None:
    @app.task
    async def later() -> None: ...

    assert isinstance(later, AsyncTask)
    assert (later.is_async, app.task(plain).is_async) == (True, False)


def test_the_context_is_left_out_of_the_arguments(app: App) -> None:
    @app.task
    def first(ctx: Context, n: int) -> None: ...

    assert (first.takes_context, list(first.codec.signature.parameters)) == (True, ["n"])


def test_options_make_the_policy(app: App) -> None:
    task = app.task(
        name="t", queue="q", priority="high", retry=5, timeout="2m", unique="k:{a}", expires=60, deadline="1h",
        requires={"gpu": "a100"}, executor="process", memory="1G", cpu="10s", max_crashes=2, on_conflict="raise",
    )(plain)  # fmt: skip
    spec = task.spec
    assert (spec.queue, spec.priority, spec.retry, spec.timeout_us) == ("q", 2, Retry(5), 120_000_000)
    assert (spec.expires_us, spec.deadline_us, spec.needs) == (60_000_000, 3_600_000_000, ("gpu=a100",))
    assert (spec.executor, spec.memory_bytes, spec.cpu_us, spec.max_crashes) == ("process", 2**30, 10_000_000, 2)
    assert (spec.unique and spec.unique.text, spec.on_conflict) == ("k:{a}", "raise")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"queue": "a\nb"}, "queue name"),
        ({"priority": "urgent"}, "priority"),
        ({"timeout": "5 parsecs"}, "timeout"),
        ({"timeout": 0}, "longer than zero"),
        ({"retry": 0}, "at least 1 attempt"),
        ({"unique": "k:{c}"}, r"\{c\} is no parameter"),
        ({"unique": "k:{a"}, "key template"),
        ({"on_conflict": "raise"}, "give unique="),
        ({"unique": "k", "on_conflict": "explode"}, "'existing', 'raise', 'replace' or 'debounce'"),
        ({"unique": "k", "on_conflict": "debounce"}, "needs its window"),
        ({"unique": "k", "on_conflict": "raise", "debounce": "1s"}, "give one"),
        ({"requires": {"gpu": 1.5}}, "capability"),
        ({"executor": "gpu"}, "executor"),
        ({"memory": "1G"}, "executor='process'"),
        ({"executor": "process", "memory": "much"}, "memory"),
        ({"max_crashes": 0}, "max_crashes"),
        ({"name": ""}, "task name"),
    ],
)
def test_a_wrong_option_is_refused_when_the_task_is_declared(app: App, options: dict, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        app.task(**options)(plain)
    assert app.tasks == {}


def test_an_option_that_does_not_exist_is_a_type_error(app: App) -> None:
    with pytest.raises(TypeError, match="'que'; did you mean 'queue'"):
        app.task(que="x")
    with pytest.raises(TypeError, match="'dely'; did you mean 'delay'"):
        app.task(plain).options(dely=5)


def test_what_cannot_be_a_task_is_refused(app: App) -> None:
    def generator():
        yield 1

    def context_second(n: int, ctx: Context) -> None: ...

    def unknown_hint(n: "Nothing") -> None: ...  # noqa: F821

    for fn, reason in (
        (generator, "generator"),
        (context_second, "first parameter"),
        (unknown_hint, "Nothing"),
        (7, "import path"),
    ):
        with pytest.raises(DefinitionError, match=reason):
            app.task(fn)
    with pytest.raises(DefinitionError, match="task already"):
        app.task(app.task(plain))


def test_two_tasks_of_one_name_are_refused(app: App) -> None:
    app.task(name="same")(plain)

    def other() -> None: ...

    with pytest.raises(DefinitionError, match=r"two tasks named 'same': .*plain .*other"):
        app.task(name="same")(other)
    for _ in range(2):
        app.task(plain)  # the same function again, as after a reload


def test_options_return_the_same_kind_of_task_and_leave_the_first_alone(app: App) -> None:
    @app.task
    async def later(n: int) -> None: ...

    changed = later.options(queue="other").options(priority=7)
    assert type(changed) is type(later)
    job = changed.new_job(bytes(16), (1,), {})
    assert (job.queue, job.priority) == ("other", 7)
    assert later.new_job(bytes(16), (1,), {}).queue == "default"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"delay": "1h", "at": datetime(2030, 1, 1, tzinfo=UTC)}, "both"),
        ({"at": datetime(2030, 1, 1)}, "time zone"),  # noqa: DTZ001
        ({"delay": -1}, "negative"),
        ({"delay": "1h", "expires": "30m"}, "end before it starts"),
        ({"max_attempts": 0}, "at least 1"),
        ({"queue": "*"}, "all queues"),
        ({"tags": {"a\n": "b"}}, "label"),
        ({"on_conflict": "raise"}, "there is none"),
        ({"unique": "k:{zz}"}, "is no parameter"),
        ({"debounce": 0, "unique": "k"}, "longer than zero"),
    ],
)
def test_a_wrong_option_of_a_call_is_refused_at_once(app: App, options: dict, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        app.task(plain).options(**options)


def test_what_a_call_says_travels_with_the_job(app: App) -> None:
    task: Task[..., int] = app.task(unique="k:{a}:{b}")(plain)
    said = task.options(
        timeout="1s", expires="1h", deadline="2h", max_attempts=9, tags={"x": "y"}, requires={"gpu": True}
    )
    job = said.new_job(bytes(16), (3,), {})
    options = job.options
    assert (options.timeout_us, options.expires_us, options.deadline_us) == (1_000_000, 3_600_000_000, 7_200_000_000)
    assert (options.max_attempts, options.tags, job.needs, options.unique) == (9, {"x": "y"}, ("gpu=true",), "k:3:1")


def test_run_now_goes_through_the_codec_and_keeps_what_the_context_was_told(app: App) -> None:
    @app.task
    async def charge(ctx: Context, cents: int) -> tuple[str, int]:
        ctx.progress(50, "half")
        ctx.log("paid", cents=cents)
        ctx.cost("0.25", kind="llm")
        ctx.cost("0.50", kind="llm")
        return "ok", cents

    trial = charge.run_now(7)
    assert trial.result == ("ok", 7)
    assert [(p.percent, p.message) for p in trial.progress] == [(50.0, "half")]
    assert [(line.message, line.fields) for line in trial.logs] == [("paid", {"cents": 7})]
    assert str(trial.spent("llm")) == "0.75"
    with pytest.raises(UsageError, match="expected int"):
        charge.run_now("7")
