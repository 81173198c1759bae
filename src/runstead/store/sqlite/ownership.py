"""Sole ownership of a database file: a lock that the kernel takes away from a process that dies."""

import fcntl
import os

from runstead.wire.error import RunsteadError

__all__ = ["Ownership"]


class Ownership:
    """The lock on `<path>.lock`. The file stays when the lock is gone; it says who had it last."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        """Own the file, or say who does."""
        file = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise RunsteadError(f"{self._path} is in use by process {owner}") from None
        os.truncate(file, 0)
        os.write(file, str(os.getpid()).encode("ascii"))
        self._file = file

    def release(self) -> None:
        """Let others have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
