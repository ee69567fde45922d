"""PostgreSQL that is killed, full, read-only, silent, slow, or behind a pooler: nothing is lost, and nobody has to help."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from relet.errors import OutcomeUnknown, StoreError, StoreFull, StoreUnavailable
from relet.job.job import NewJob
from relet.job.state import State
from relet.store import shared
from relet.store.open import open_store
from relet.store.postgres import connection as pg_connection
from relet.store.postgres.open import migrate_postgres
from tests.crash import tasks
from tests.crash.scene import Scene
from tests.store.hands import IDS
from tests.support.postgres import PostgresServer
from tests.support.proxy import BACKEND, FRONTEND, PostgresProxy
from tests.support.waiting import until


@contextmanager
def through(scene: Scene, url: str) -> Iterator[None]:
    """Within this block the app's own store is reached at this URL."""
    settings = tasks.app.settings
    tasks.app.settings = settings.override({"url": url})
    try:
        yield
    finally:
        tasks.app.settings = settings


def jobs(scene: Scene) -> int:
    return int(scene.rows("select count(*) from relet.job")[0][0])


# ── answers that are lost ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("side", [FRONTEND, BACKEND])
def test_enqueue_whose_answer_is_lost_asks_again_and_makes_one_job(pg_scene: Scene, side: Any) -> None:
    with PostgresProxy(pg_scene.url) as proxy, through(pg_scene, proxy.url):
        tasks.add.enqueue(1, 1)
        trap = proxy.trap(side, kind=b"S" if side == FRONTEND else b"C", when="after" if side == FRONTEND else "before")
        job = tasks.add.enqueue(1, 2)
        assert trap.sprung.is_set()
        assert jobs(pg_scene) == 2
        assert pg_scene.row(job).state is State.READY
    pg_scene.worker()
    assert job.result("10s") == 3


def test_enqueue_that_stays_unknown_says_so_and_can_be_repeated_with_the_same_id(
    pg_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "REPEATS_US", (10_000, 20_000))
    job = NewJob(IDS.job(), tasks.add.name, args='{"a":1,"b":2}')
    with PostgresProxy(pg_scene.url) as proxy, through(pg_scene, proxy.url):
        tasks.add.enqueue(1, 1)
        trap = proxy.trap(BACKEND, kind=b"C")
        trap_went_off = threading.Thread(target=lambda: trap.sprung.wait(10) and proxy.refuse())
        trap_went_off.start()
        with pytest.raises(OutcomeUnknown, match="may have been enqueued or not"):
            tasks.app.shared.enqueue([job])
        trap_went_off.join()
        proxy.restore()
        tasks.app.shared.enqueue([job])
        tasks.app.shared.enqueue([job])
    assert jobs(pg_scene) == 2
    pg_scene.worker()
    assert tasks.app.job(str(_uuid(job)), tasks.add).result("10s") == 3


def _uuid(job: NewJob) -> Any:
    from uuid import UUID

    return UUID(bytes=job.id)


# ── the server dies ───────────────────────────────────────────────────────────────────────────────────────────────────
class Producer(threading.Thread):
    """Enqueues one after the other until told to stop, whatever happens to the server."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[Any] = []
        self.refused: list[Exception] = []
        self._scene = scene
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self.acknowledged.append(tasks.work.enqueue(self._scene.marks_path))
            except StoreError as error:
                self.refused.append(error)
                self._over.wait(0.02)

    def finish(self) -> None:
        self._over.set()
        self.join(30)
        assert not self.is_alive()


def test_killed_server_loses_no_acknowledged_job_and_no_worker(own_scene: Scene, own_pg: PostgresServer) -> None:
    worker = own_scene.process(lease="5s").ready()
    producers = [Producer(own_scene) for _ in range(2)]
    for producer in producers:
        producer.start()
    for round_ in range(1, 4):
        until(lambda: len(own_scene.marks("ended")) > 30 * round_)  # noqa: B023  asked at once
        own_pg.kill()
        own_pg.start()
    for producer in producers:
        producer.finish()
    acknowledged = [job for producer in producers for job in producer.acknowledged]
    until(lambda: _all_ended(own_scene), 30)
    rows = [own_scene.row(job) for job in acknowledged]
    assert {row.state for row in rows} == {State.SUCCEEDED}
    assert {(row.attempt, row.crashes) for row in rows} == {(0, 0)}
    assert worker.lives
    assert not worker.told("worker.defect")
    refused = [error for producer in producers for error in producer.refused]
    assert all(isinstance(error, StoreUnavailable | OutcomeUnknown) for error in refused)
    finished = {mark.job for mark in own_scene.marks("ended")}
    assert {str(job.id) for job in acknowledged} <= finished


def _all_ended(scene: Scene) -> bool:
    try:
        return scene.rows("select count(*) from relet.job")[0] == scene.rows("select count(*) from relet.finished")[0]
    except psycopg.Error:
        return False


def test_restart_of_the_server_costs_a_transaction_of_a_task_no_attempt(
    own_scene: Scene, own_pg: PostgresServer
) -> None:
    """Connections for such transactions are kept, and the kept one is dead after the restart."""
    own_scene.rows("create table effect (job text, epoch integer)")
    worker = own_scene.worker(slots="2", lease="5s")
    assert tasks.pay.enqueue(own_scene.marks_path).result("10s") == "paid"
    own_pg.kill()
    own_pg.start()
    until(lambda: own_scene.told("store.back"))
    until(lambda: not worker.status().ailments)
    job = tasks.pay.enqueue(own_scene.marks_path)
    row = own_scene.ended(job)
    assert (row.state, row.attempt) == (State.SUCCEEDED, 0)


def test_server_that_is_away_when_a_task_asks_for_its_transaction_costs_no_attempt(
    own_scene: Scene, own_pg: PostgresServer
) -> None:
    own_scene.rows("create table effect (job text, epoch integer)")
    own_scene.worker(lease="30s")
    job = tasks.pay_when_told.enqueue(own_scene.marks_path)
    until(lambda: own_scene.marks("began"))
    own_pg.kill()
    Path(f"{own_scene.marks_path}.go").touch()
    until(lambda: own_scene.marks("refused"))
    own_pg.start()
    row = own_scene.ended(job)
    assert (row.state, row.epoch, row.attempt) == (State.SUCCEEDED, 2, 0)
    assert own_scene.rows("select epoch from effect") == [(2,)]


# ── the server does not want to ───────────────────────────────────────────────────────────────────────────────────────
def _alter(scene: Scene, setting: str) -> None:
    """Change a default of the scene's database, for connections to come; those that stand are ended."""
    name = urlsplit(scene.url).path[1:]
    with psycopg.connect(scene.url, autocommit=True) as raw:
        raw.execute("set default_transaction_read_only = off")
        raw.execute(f'alter database "{name}" {setting}'.encode())
        others = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        raw.execute(f"select pg_terminate_backend(pid) {others}".encode())


def test_read_only_server_is_waited_for_with_few_words(pg_scene: Scene) -> None:
    worker = pg_scene.command("worker", "-A", "tests.crash.tasks:app", lease="3s").ready()
    before = tasks.work.enqueue(pg_scene.marks_path)
    assert pg_scene.ended(before).state is State.SUCCEEDED
    _alter(pg_scene, "set default_transaction_read_only = on")
    began, said = time.monotonic(), len(worker.said())
    with pytest.raises((StoreUnavailable, OutcomeUnknown)):  # this one was in the air when the connection was ended
        tasks.work.enqueue(pg_scene.marks_path)
    with pytest.raises(StoreUnavailable, match="read-only"):
        tasks.work.enqueue(pg_scene.marks_path)
    seconds, lines = time.monotonic() - began, worker.said()[said:]
    assert any("read-only" in line for line in lines), "it says what is wrong"
    assert len(lines) <= 3 * seconds + 5, "\n".join(lines)
    assert worker.lives
    _alter(pg_scene, "reset default_transaction_read_only")
    after = tasks.work.enqueue(pg_scene.marks_path)
    assert pg_scene.ended(after).state is State.SUCCEEDED


def test_worker_waits_for_a_connection_and_gives_up_in_the_end(own_scene: Scene, own_pg: PostgresServer) -> None:
    scene = own_scene
    with psycopg.connect(own_pg.admin_url, autocommit=True) as admin:
        admin.execute("alter system set max_connections = 8")
        admin.execute("alter system set superuser_reserved_connections = 0")
    own_pg.restart()
    taken = [psycopg.connect(scene.url) for _ in range(8)]
    try:
        impatient = scene.command("worker", "-A", "tests.crash.tasks:app", "--patience", "1s")
        patient = scene.command("worker", "-A", "tests.crash.tasks:app", "--patience", "60s")
        assert impatient.ended() == 5
        assert "too many clients" in "\n".join(impatient.said())
        assert "Traceback" not in "\n".join(impatient.said())
        assert patient.lives
        for connection in taken:
            connection.close()
        patient.ready()
        job = tasks.add.enqueue(1, 2)
        assert job.result("10s") == 3
    finally:
        for connection in taken:
            connection.close()


# ── the server does not answer ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_statement_that_waits_too_long_is_tried_again_and_costs_no_job_anything(
    pg_scene: Scene, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setitem(pg_connection.LIMITS, limit, "150")
    job = tasks.rest.enqueue(pg_scene.marks_path, 0.3)
    worker = pg_scene.worker(lease="5s")
    until(lambda: pg_scene.marks("began"))
    with psycopg.connect(pg_scene.url) as blocker:
        blocker.execute("lock table relet.running, relet.ready in access exclusive mode")
        with closing(open_store(pg_scene.url)) as store, pytest.raises(StoreError, match="Nothing was written"):
            store.enqueue([NewJob(IDS.job(), tasks.add.name, args='{"a":1,"b":2}')])
        until(lambda: pg_scene.told("store.unavailable"))
        assert worker.status().holds_lease
    row = pg_scene.ended(job)
    assert (row.state, row.epoch, row.attempt) == (State.SUCCEEDED, 1, 0)
    assert not pg_scene.told("worker.defect")
    assert not pg_scene.told("session.lost")


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03", "57014", "53300", "57P01", "08006"])
def test_error_of_the_engine_is_no_failure_of_a_job(pg_scene: Scene, state: str) -> None:
    """Every second write to the tables of a turn is refused with this code, for a while."""
    pg_scene.rows("create sequence refusals")
    pg_scene.rows(
        "create function refuse() returns trigger language plpgsql as $$ begin "
        f"if nextval('refusals') < 16 and currval('refusals') % 2 = 1 then raise exception 'injected' using errcode = '{state}'; "
        "end if; return coalesce(new, old); end $$"
    )
    for table in ("running", "finished", "attempt"):
        pg_scene.rows(
            f"create trigger refuse before insert or delete on relet.{table} for each row execute function refuse()"
        )
    pg_scene.worker(lease="10s", slots="4")
    good = [tasks.work.enqueue(pg_scene.marks_path) for _ in range(6)]
    flaky = [tasks.fail_soon.enqueue(pg_scene.marks_path) for _ in range(3)]
    rows = [pg_scene.ended(job) for job in good]
    assert {(row.state, row.attempt, row.crashes) for row in rows} == {(State.SUCCEEDED, 0, 0)}
    rows = [pg_scene.ended(job) for job in flaky]
    assert {(row.state, row.attempt, row.crashes) for row in rows} == {(State.SUCCEEDED, 1, 0)}
    assert pg_scene.rows("select last_value > 15 from refusals") == [(True,)], "it was refused often enough"
    assert not pg_scene.told("worker.defect")


@pytest.mark.parametrize("state", ["42501", "53400", "58030"])
def test_server_that_is_ill_for_a_moment_costs_no_job_its_success(pg_scene: Scene, state: str) -> None:
    """Rights that are being changed, limits, a disk: such an error says nothing of what was to be written."""
    pg_scene.rows("create sequence refusals")
    pg_scene.rows(
        "create function refuse() returns trigger language plpgsql as $$ begin "
        f"if nextval('refusals') <= 3 then raise exception 'injected' using errcode = '{state}'; end if; return new; end $$"
    )
    pg_scene.rows("create trigger refuse before insert on relet.finished for each row execute function refuse()")
    pg_scene.worker(lease="10s", slots="4")
    row = pg_scene.ended(tasks.work.enqueue(pg_scene.marks_path))
    assert (row.state, row.attempt, row.error) == (State.SUCCEEDED, 0, None)
    assert pg_scene.rows("select last_value > 3 from refusals") == [(True,)], "it was refused often enough"


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_enqueue_that_meets_a_conflict_of_the_engine_is_tried_again(pg_scene: Scene, state: str) -> None:
    pg_scene.rows("create sequence refusals")
    pg_scene.rows(
        "create function refuse() returns trigger language plpgsql as $$ begin "
        f"if nextval('refusals') < 3 then raise exception 'injected' using errcode = '{state}'; end if; return new; end $$"
    )
    pg_scene.rows("create trigger refuse before insert on relet.job for each row execute function refuse()")
    tasks.add.enqueue(1, 2)
    assert jobs(pg_scene) == 1


# ── a pooler in transaction mode ──────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def pooler(pg_scene: Scene) -> Iterator[str]:
    """The URL of a pgbouncer before the scene's server."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed")
    target = urlsplit(pg_scene.url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = Path(tempfile.mkdtemp(prefix="relet-pooler-"))
    place.chmod(0o755)
    (place / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={target.port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\npool_mode = transaction\nauth_type = any\ndefault_pool_size = 3\n"
    )
    nobody = {"user": 65534} if os.geteuid() == 0 else {}
    process = subprocess.Popen([program, "--quiet", place / "pgbouncer.ini"], stderr=subprocess.DEVNULL, **nobody)
    url = f"postgresql://postgres@127.0.0.1:{port}{target.path}"
    try:
        until(lambda: _connects(url))
        yield url
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(place)


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def test_everything_works_behind_a_pooler_in_transaction_mode(pg_scene: Scene, pooler: str) -> None:
    """Three connections to the server for two workers with four each; every transaction may meet another server process."""
    pg_scene.rows("create table effect (job text, epoch integer)")
    path = pg_scene.marks_path
    with through(pg_scene, pooler):
        killed = pg_scene.process(url=pooler, lease="3s", slots="4").ready()
        pg_scene.worker(url=pooler, lease="3s", slots="4")
        made = [tasks.work.enqueue(path, 0.02) for _ in range(30)]
        made += [tasks.fail_soon.enqueue(path) for _ in range(5)]
        made += [tasks.pay.enqueue(path) for _ in range(5)]
        made += [
            tasks.add.options(delay=0.2).enqueue(1, 2),
            tasks.add.options(unique="k", on_conflict="replace").enqueue(1, 3),
        ]
        made += [tasks.rest.enqueue(path, 0.5) for _ in range(4)]
        until(lambda: len(pg_scene.marks("ended")) > 5)
        killed.kill()
        rows = [pg_scene.ended(job) for job in made]
    assert {row.state for row in rows} == {State.SUCCEEDED}
    assert {row.crashes for row in rows} == {0}
    assert pg_scene.rows("select count(*), count(distinct job) from effect") == [(5, 5)]
    assert not pg_scene.told("worker.defect")
    assert not pg_scene.told("store.refused")


# ── the disk is full ──────────────────────────────────────────────────────────────────────────────────────────────────
def test_full_disk_of_the_server_is_said_and_waited_out(
    own_pg: PostgresServer, small_disk: Path, tmp_path: Path
) -> None:
    os.chown(small_disk, (own_pg.home / "data").stat().st_uid, -1)
    with psycopg.connect(own_pg.admin_url, autocommit=True) as admin:
        admin.execute(f"create tablespace small location '{small_disk}'".encode())
        admin.execute("create database small template template0 tablespace small")
    url = own_pg.url("small")
    migrate_postgres(url)
    scene = Scene("postgres", url, tmp_path)
    try:
        _full_disk(scene)
    finally:
        scene.close()
    scene.check()


def _full_disk(scene: Scene) -> None:
    scene.worker(lease="5s")
    waits = [tasks.rest.enqueue(scene.marks_path, 1.0) for _ in range(3)]
    until(lambda: len(scene.marks("began")) == 3)
    scene.rows("create table fill (t text)")
    filled = _fill(scene)
    assert filled > 0
    acknowledged: list[Any] = []
    with pytest.raises(StoreFull, match="Make room"):
        acknowledged.extend(tasks.add.enqueue(1, 2) for _ in range(2000))
    assert jobs(scene) == len(acknowledged) + 3, "what was refused is not there"
    scene.rows("drop table fill")
    after = tasks.add.enqueue(1, 2)
    rows = [scene.ended(job) for job in (*waits, *acknowledged, after)]
    assert {(row.state, row.attempt) for row in rows} == {(State.SUCCEEDED, 0)}
    assert not scene.told("worker.defect")


def _fill(scene: Scene) -> int:
    filled = 0
    while True:
        try:
            scene.rows("insert into fill select repeat('x', 2000) from generate_series(1, 50)")
        except psycopg.errors.DiskFull:
            return filled
        filled += 50
