"""Files that others are making just now."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from relet.store.open import open_store
from relet.store.sqlite.driver import ERRORS, ApswDriver, StdlibDriver


@pytest.mark.parametrize(("scheme", "driver"), [("sqlite", ApswDriver), ("sqlite+stdlib", StdlibDriver)])
@pytest.mark.filterwarnings("ignore:SQLite")
def test_a_file_that_somebody_is_about_to_write_without_a_log_is_opened_when_that_has_ended(
    scheme: str, driver: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "jobs.db"
    execute, refused = driver.execute, list[str]()
    with closing(
        driver(str(path))
    ) as other:  # of the same library: one process's locks do not bind another library in it
        for sql in ("create table theirs (x)", "begin immediate", "insert into theirs values (1)"):
            other.execute(sql)

        def counted(self: Any, sql: str, values: Any = ()) -> Any:
            try:
                return execute(self, sql, values)
            except ERRORS:
                refused.append(sql)
                if len(refused) == 3:
                    execute(other, "commit")
                raise

        monkeypatch.setattr(driver, "execute", counted)
        open_store(f"{scheme}:///{path}").close()

    assert refused == ["pragma journal_mode = wal"] * 3
