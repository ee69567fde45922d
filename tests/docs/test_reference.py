"""The reference says what the code says."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import relet
from docs.generate import PAGES, REFERENCE
from relet.app import App
from relet.breakers import Breakers, Circuit
from relet.context import Context, Lease
from relet.control import Jobs, Kept, Leases, Queue, Queues, Workers
from relet.handles import Job
from relet.job.retry import Retry
from relet.letters import Dead
from relet.options import CallOptions, TaskOptions
from relet.routines import Routine, Routines
from relet.schedules import Schedule, Schedules
from relet.settings import table
from relet.store.open import open_store
from relet.task import Task
from relet.testing import Harness
from relet.work.worker import Worker

API = REFERENCE / "api.md"
VIEWS = REFERENCE / "views.md"

OBJECTS: dict[str, type[Any]] = {
    "app": App,
    "app.jobs": Jobs,
    "app.dead": Dead,
    "app.queues": Queues,
    "queue": Queue,
    "app.routines": Routines,
    "routine": Routine,
    "app.schedules": Schedules,
    "schedule": Schedule,
    "app.breakers": Breakers,
    "breaker": Circuit,
    "app.workers": Workers,
    "app.leases": Leases,
    "task": Task,
    "job": Job,
    "ctx": Context,
    "ctx.lease": Lease,
    "worker": Worker,
    "t": Harness,
}
"""How the page calls an object, and what it is."""

INTERNAL = {
    "App": {
        "submit",
        "asubmit",
        "submit_batch",
        "asubmit_batch",
        "left_by_parents",
        "keep_at",
        "try_out",
        "context_of",
        "moved",
        "open_store",
        "transactions",
        "who",
        "threads",
        "patience",
    },
    "Task": {"new_job", "job_of", "tx", "left_by_parents", "keep_at", "bonds", "spares"},
    "Queue": set[str](),
}
"""Names without an underscore that other parts of the package use, and users need not."""

_CALL = re.compile(
    r"`(?P<object>[a-z]+(?:\.(?:jobs|dead|queues|workers|leases|lease))?)\.(?P<name>\w+)\((?P<arguments>[^`]*)\)`"
)


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    assert (REFERENCE / name).read_text("utf-8") == PAGES[name](), "run: python docs/generate.py"


def _public(kind: type[Any]) -> set[str]:
    own = {name for cls in kind.__mro__ if cls.__module__.startswith("relet") for name in vars(cls)}
    return {name for name in own if not name.startswith("_")} - INTERNAL.get(kind.__name__, set())


def _written(kind: type[Any], name: str) -> str:
    """The parameters of a method as the page writes them."""
    parts: list[str] = []
    stars = False
    for p in list(inspect.signature(getattr(kind, name)).parameters.values())[1:]:
        if p.kind is p.KEYWORD_ONLY and not stars:
            parts.append("*")
            stars = True
        mark = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        default = "…" if isinstance(p.default, Kept) else repr(p.default)  # what is not given stays as it is
        parts.append(f"{mark}{p.name}" + ("" if p.default is p.empty else f"={default}"))
    return ", ".join(parts).replace("'", '"')


def test_calls_in_the_reference_are_the_real_signatures() -> None:
    text = API.read_text("utf-8")
    found = list(_CALL.finditer(text))
    assert len(found) > 50
    for call in found:
        kind = OBJECTS.get(call["object"])
        if kind is None or call["arguments"] == "...":
            continue
        assert hasattr(kind, call["name"]), call[0]
        assert call["arguments"] == _written(kind, call["name"]), call[0]


@pytest.mark.parametrize("thing", OBJECTS)
def test_the_reference_has_every_public_name_of(thing: str) -> None:
    text = API.read_text("utf-8")
    missing = [name for name in _public(OBJECTS[thing]) if not re.search(rf"`{re.escape(thing)}\.{name}[`(]", text)]
    assert not missing, f"{thing} has {missing}"


def test_the_reference_has_every_exported_name_and_every_option() -> None:
    text = API.read_text("utf-8")
    names = [*relet.__all__, *TaskOptions.__annotations__, *CallOptions.__annotations__]
    names += [name for name in inspect.signature(Retry).parameters if not name.startswith("_")]
    assert not [name for name in names if f"`{name}" not in text]


def test_every_setting_has_a_field_that_can_be_read() -> None:
    assert all(f"`{row.name}`" in (REFERENCE / "settings.md").read_text("utf-8") for row in table())


# ── views ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _documented_views() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in VIEWS.read_text("utf-8").splitlines():
        if heading := re.match(r"## `?(v_\w+)", line):
            found[heading[1]] = []
        elif (row := re.match(r"\| `(\w+)` \|", line)) and found:
            found[list(found)[-1]].append(row[1])
    return found


def test_the_views_have_the_documented_columns_on_sqlite(tmp_path: Path) -> None:
    import apsw

    open_store(f"sqlite:///{tmp_path}/jobs.db").close()
    connection = apsw.Connection(f"{tmp_path}/jobs.db")
    for view, columns in _documented_views().items():
        assert [row[1] for row in connection.execute(f"pragma table_info(relet_{view})")] == columns
    connection.close()
    assert len(_documented_views()) == 6


def test_the_views_have_the_documented_columns_on_postgres(migrated_pg_url: str) -> None:
    import psycopg

    with psycopg.connect(migrated_pg_url) as connection:
        for view, columns in _documented_views().items():
            described = connection.execute(f"select * from relet.{view}").description or []
            assert [column.name for column in described] == columns
