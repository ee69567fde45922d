"""Who is dead on this host, by locks that the kernel drops."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from relet.errors import SettingsError
from relet.store.rows import SessionRow
from relet.work.liveness import Locks, default_directory
from tests.support.waiting import until

SESSION = b"s" * 16


def row(locks: Locks, session: bytes = SESSION, **more: object) -> SessionRow:
    facts = dict.fromkeys(SessionRow._fields, 0) | {"id": session, "host_boot": locks.boot, "lock_place": locks.place}
    return SessionRow(**(facts | {"ended_at": None} | more))  # type: ignore[arg-type]


def holder(folder: Path, session: bytes = SESSION) -> subprocess.Popen[bytes]:
    """A process that holds the lock of a session until it is killed."""
    code = (
        f"import time; from relet.work.liveness import Locks; locks = Locks({str(folder)!r}, 'boot'); "
        f"locks.hold(bytes.fromhex({session.hex()!r})); print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    locks = Locks(str(tmp_path), "boot")
    process = holder(tmp_path)
    assert locks.free() == []
    assert locks.dead([row(locks)]) == []
    process.kill()
    process.wait()
    assert locks.free() == [SESSION]
    assert locks.dead([row(locks)]) == [row(locks)]
    locks.forget(SESSION)
    assert locks.free() == []


def test_missing_file_proves_nothing(tmp_path: Path) -> None:
    locks = Locks(str(tmp_path), "boot")
    assert locks.dead([row(locks)]) == []


@pytest.mark.parametrize("other", [{"host_boot": "another"}, {"lock_place": "0:1"}, {"ended_at": 5}])
def test_session_of_elsewhere_is_not_judged(tmp_path: Path, other: dict[str, object]) -> None:
    locks = Locks(str(tmp_path), "boot")
    process = holder(tmp_path)
    process.kill()
    process.wait()
    assert locks.dead([row(locks, **other)]) == []


def test_own_session_is_never_dead(tmp_path: Path) -> None:
    locks = Locks(str(tmp_path), "boot")
    locks.hold(SESSION)
    assert locks.free() == []
    assert locks.dead([row(locks)]) == []
    locks.close()
    assert list(tmp_path.iterdir()) == []


def test_lock_is_not_inherited_by_a_program_that_is_started(tmp_path: Path) -> None:
    locks, others = Locks(str(tmp_path), "boot"), Locks(str(tmp_path), "boot")
    locks.hold(SESSION)
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False)
    os.close(locks._held.pop(SESSION))  # as the kernel does when the process dies
    until(lambda: others.free() == [SESSION])
    sleeper.kill()
    sleeper.wait()


def test_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a directory away")
    os.chown(tmp_path, 12345, 12345)
    with pytest.raises(SettingsError, match="not a directory of this user"):
        Locks(str(tmp_path), "boot")


def test_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("")
    with pytest.raises(SettingsError, match="RELET_LOCK_DIR"):
        Locks(str(tmp_path / "locks"), "boot")


def test_every_way_of_starting_a_worker_leads_to_the_same_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """By default. A login has a TMPDIR and an XDG_RUNTIME_DIR of its own, cron and a service have neither."""
    plain = default_directory()
    for name in ("TMPDIR", "TEMP", "TMP", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)  # what it has remembered
    monkeypatch.setattr(Path, "is_dir", lambda _path: True)  # as if /run/user/… were there
    assert default_directory() == plain
    assert str(os.getuid()) in plain.name
