"""A file that is being written: it gets its name once all of it is on disk."""

import os
import tempfile
from contextlib import suppress
from errno import ENOSYS, ENOTSUP, EPERM
from pathlib import Path
from threading import Lock
from typing import Protocol

from runstead.blobs.port import BlobExists

__all__ = ["Draft", "Hash"]

_NO_LINKS = {EPERM, ENOSYS, ENOTSUP}
"""The errors of a file system without hard links."""


class Hash(Protocol):
    """A hash that is computed over all that is written."""

    def update(self, data: bytes, /) -> None: ...


class Draft:
    """A new file in the folder of drafts, which only its owner can read.

    Its methods are called on threads, one after the other; `discard` may be called while another one is still at work
    or before it begins, and that one then does nothing more. They raise `OSError`.
    """

    def __init__(self, folder: Path, target: Path) -> None:
        self._folder = folder
        self._target = target
        self._lock = Lock()
        self._file: int | None = None
        self._path = folder
        self._discarded = False

    def open(self) -> None:
        """Create the file. `BlobExists` if the name that it is for is taken."""
        with self._lock:
            if self._target.exists():
                raise BlobExists(self._target.name)
            for folder in (self._folder.parent, self._folder, self._target.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._discarded:
                self._file, path = tempfile.mkstemp(prefix=f"{self._target.name}.", dir=self._folder)
                self._path = Path(path)

    def append(self, data: bytes, digest: Hash) -> None:
        """Write more, and hash it."""
        with self._lock:
            digest.update(data)
            view = memoryview(data)
            while view and self._file is not None:
                view = view[os.write(self._file, view) :]

    def finish(self) -> None:
        """Give the file its name, when all of it is on disk. `BlobExists` if the name is taken."""
        with self._lock:
            if self._file is None:
                return
            os.fsync(self._file)
            try:
                os.link(self._path, self._target)
            except FileExistsError:
                raise BlobExists(self._target.name) from None
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                _rename(self._path, self._target)
            for folder in (self._target.parent, self._folder.parent):
                _sync(folder)

    def discard(self) -> None:
        """Remove the draft. A finished file keeps its name. May be called again."""
        with self._lock:
            self._discarded = True
            file, self._file = self._file, None
            if file is not None:
                os.close(file)
                with suppress(OSError):  # renamed; what cannot be removed is removed by a sweep
                    self._path.unlink()


def _rename(draft: Path, target: Path) -> None:
    if target.exists():
        raise BlobExists(target.name)
    draft.rename(target)


def _sync(folder: Path) -> None:
    """Write the folder's names to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
