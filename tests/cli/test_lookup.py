"""Which App a command acts on, and how it says which rule led there."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.cli.exits import Problem
from relet.cli.lookup import Found, find_app
from relet.settings import Settings

APP = "from relet import App\napp = App('sqlite:///:memory:')\n"


pytestmark = pytest.mark.usefixtures("fresh_modules")


def find(**given: object) -> Found:
    return find_app(Settings.load(given, env={}))


def refused(**given: object) -> str:
    with pytest.raises(Problem) as caught:
        find(**given)
    return "\n".join(caught.value.lines)


def test_the_only_app_here_is_found_by_itself(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(APP)
    found = find()
    assert (found.place, found.rule) == ("tasks:app", "the only App here")


def test_an_app_in_a_package_is_found(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "tasks.py").write_text(APP)
    assert find().place == "shop.tasks:app"


def test_one_app_seen_from_two_modules_is_one(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "tasks.py").write_text("from app import app  # of relet\n")
    assert find().place == "app:app"


def test_a_main_of_another_program_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise SystemExit('ran')\n")
    (tmp_path / "tasks.py").write_text(APP)
    assert find().place == "tasks:app"


def test_the_name_that_is_given_wins_and_its_source_is_told(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(APP)
    (tmp_path / "other.py").write_text(APP.replace("app =", "jobs ="))
    assert find(app="other").place == "other:jobs"
    assert find(app="other.py").place == "other:jobs"
    found = find(app="other:jobs")
    assert (found.place, found.rule) == ("other:jobs", "flag --app")
    (tmp_path / "pyproject.toml").write_text('[tool.relet]\napp = "other"')
    assert find().rule == str(tmp_path / "pyproject.toml")


@pytest.mark.parametrize(
    ("app", "words"),
    [
        ("othr", ["no module 'othr'", "-A package.module:app"]),
        ("tasks:ap", ["does not exist", "Did you mean tasks:app?"]),
        ("tasks:number", ["is a int, not an App"]),
        ("empty", ["holds no App"]),
        ("two", ["2 Apps", "-A two:"]),
        ("broken", ["cannot be imported", "SyntaxError", "broken.py:1"]),
        ("lacking", ["cannot be imported", "no_such_module", "lacking.py:1"]),
        ("ends", ["cannot be imported", "SystemExit"]),
        ("wrong", ["cannot be imported", "routine 'a'", "wrong.py:4"]),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, app: str, words: list[str]) -> None:
    (tmp_path / "tasks.py").write_text(APP + "number = 1\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "two.py").write_text(APP + "second = App()\n")
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "lacking.py").write_text("import no_such_module\n")
    (tmp_path / "ends.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "wrong.py").write_text(APP + "\n@app.routine(every='1m', overlap='x')\ndef a(): ...\n")
    text = refused(app=app)
    for word in words:
        assert word in text


def test_several_apps_have_to_be_told_apart(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "tasks.py").write_text(APP)
    assert "app:app, tasks:app" in refused()
    assert find_app(Settings.load(env={}), required=False) is None


def test_no_app_at_all_is_said_with_the_places_that_were_searched() -> None:
    assert "relet init" in refused()
