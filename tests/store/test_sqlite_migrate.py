"""A SQLite file of an earlier version comes up to date when it is opened, beside those that have it open."""

from pathlib import Path

import pytest

from relet.job.job import After
from relet.job.state import State
from relet.store.migrate import newest, steps
from relet.store.open import open_store
from relet.store.sqlite import migrate as migration
from tests.store.hands import Worker, new, put_new


def test_a_file_is_migrated_beside_a_worker_that_has_it_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = f"sqlite:///{tmp_path}/relet.db"
    monkeypatch.setattr(migration, "pending", lambda _engine, version: steps("sqlite")[:1] if version < 1 else [])
    monkeypatch.setattr(migration, "newest", lambda _engine: 1)
    old = open_store(url)
    monkeypatch.undo()
    worker = Worker(old)
    assert old.insights.schema()[0] == 1

    store = open_store(url)
    assert store.insights.schema()[0] == newest("sqlite")
    parent = put_new(store)
    child = new(after=(After(parent),))
    store.enqueue([child])
    worker.end(worker.take())

    row = store.insights.job(child.id)
    assert row is not None
    assert row.state is State.READY
    old.close()
    store.close()
