"""Sole ownership of a database file: a lock that the kernel takes away from a process that dies.

The files can be read by the process's user alone. SQLite gives the files beside the database the database's mode.
"""

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

from runstead.wire.error import RunsteadError

__all__ = ["Ownership"]


_OWNER_ALONE = 0o600


class Ownership:
    """The lock on `<path>.lock`, beside the file itself where the path is a link.

    A link is followed if it belongs to the process's user, or to the owner of its folder. Another user who can write to
    the folder could lead to any file. The lock's file stays when the lock is released; it names the last owner.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = Path()
        self._file: int | None = None

    def take(self) -> None:
        """Own the file, which is created if it is missing, or raise an error that names the owner."""
        self._check_link()
        path = os.path.realpath(self._path)
        self._lock = Path(f"{path}.lock")
        file = self._locked()
        while not self._is_current(file):
            os.close(file)
            file = self._locked()
        os.truncate(file, 0)
        os.write(file, str(os.getpid()).encode("ascii"))
        self._file = file
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _OWNER_ALONE))

    def release(self) -> None:
        """Let others have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def undo(self) -> None:
        """Release it and remove the lock's file: there was nothing to own."""
        if self._file is not None:
            self._lock.unlink(missing_ok=True)  # only the owner of the lock may
            self.release()

    def _check_link(self) -> None:
        """`RunsteadError` if the path is a link of another user."""
        with suppress(FileNotFoundError):
            path = Path(self._path)
            link, owners = path.lstat(), {os.geteuid(), path.parent.stat().st_uid}
            if stat.S_ISLNK(link.st_mode) and link.st_uid not in owners:
                raise RunsteadError(f"{self._path} is a link of another user, and is not followed")

    def _locked(self) -> int:
        # A link that another user planted could lead to any file of this user's.
        file = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _OWNER_ALONE)
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            os.close(file)
            raise RunsteadError(f"cannot lock {self._path}: {self._lock} is not a file of its own")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise RunsteadError(f"{self._path} is in use by process {owner}") from None
        return file

    def _is_current(self, file: int) -> bool:
        """Whether the file still has its name: another process may have undone it before we had the lock."""
        try:
            return os.path.samestat(os.fstat(file), self._lock.stat())
        except FileNotFoundError:
            return False
