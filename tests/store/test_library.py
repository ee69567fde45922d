"""A SQLite library that can corrupt files is not used without a word."""

from pathlib import Path

import pytest

from relet.errors import ReletWarning, SettingsError
from relet.store.open import open_store
from relet.store.sqlite.driver import StdlibDriver


def test_a_library_with_the_bug_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(StdlibDriver, "library", (3, 45, 1))

    with pytest.warns(ReletWarning, match=r"SQLite 3\.45\.1 .* can corrupt"):
        open_store(f"sqlite+stdlib:///{tmp_path}/jobs.db").close()


@pytest.mark.filterwarnings("error")
def test_a_library_without_it_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(StdlibDriver, "library", (3, 51, 3))

    open_store(f"sqlite+stdlib:///{tmp_path}/jobs.db").close()
    open_store(f"sqlite:///{tmp_path}/other.db").close()


def test_a_library_that_is_too_old_is_refused_before_a_file_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(StdlibDriver, "library", (3, 34, 1))

    with pytest.raises(SettingsError, match=r"SQLite 3\.34\.1 .* needs 3\.37"):
        open_store(f"sqlite+stdlib:///{tmp_path}/jobs.db")

    assert list(tmp_path.iterdir()) == []
