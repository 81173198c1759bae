"""The entries of a ZIP archive, with bounds on everything that an archive can say of itself.

Entries are named by the format's own rules and read as streams: a name is never a path on a disk. Bytes are counted as
they are unpacked, so sizes that the archive declares do not matter.
"""

import struct
from typing import IO, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812 (a class with a small letter)

from runstead.retrieval.documents.refusal import Reason, Refused

__all__ = ["Archive", "Entry"]

MAX_ENTRIES = 20_000
MAX_DIRECTORY = 16 << 20
"""Bytes of the list of entries."""
MAX_UNPACKED = 256 << 20
"""Bytes of all entries that are read, together."""
_ENCRYPTED = 0x1
_END = b"PK\x05\x06"


class Archive:
    """A ZIP archive. `Refused` if it is damaged, protected or too large."""

    def __init__(self, file: BinaryIO, budget: int = MAX_UNPACKED) -> None:
        _check_directory(file)
        try:
            self._zip = ZipFile(file)
        except (BadZipFile, OSError, ValueError, OverflowError, struct.error, NotImplementedError) as error:
            raise Refused(Reason.DAMAGED, str(error)) from error
        self._budget = budget
        self.names = frozenset(self._zip.namelist())

    def read(self, name: str) -> bytes:
        """The whole entry, or nothing if there is none."""
        stream = self.open(name)
        return b"" if stream is None else b"".join(iter(lambda: stream.read(1 << 16), b""))

    def open(self, name: str) -> "Entry | None":
        """A stream of the entry, or None if there is none."""
        if name not in self.names:
            return None
        info = self._zip.getinfo(name)
        if info.flag_bits & _ENCRYPTED:
            raise Refused(Reason.PROTECTED)
        if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise Refused(Reason.DAMAGED, f"compression {info.compress_type}")
        try:
            return Entry(self, self._zip.open(info))
        except _WRONG as error:
            raise Refused(Reason.DAMAGED, str(error)) from error

    def spend(self, count: int) -> None:
        """Count unpacked bytes."""
        self._budget -= count
        if self._budget < 0:
            raise Refused(Reason.TOO_COMPLEX, "too many unpacked bytes")


_WRONG = (BadZipFile, ZlibError, OSError, EOFError, ValueError, RuntimeError, struct.error)


class Entry:
    """A stream of one entry."""

    def __init__(self, archive: Archive, stream: IO[bytes]) -> None:
        self._archive = archive
        self._stream = stream

    def read(self, size: int = 1 << 16) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        try:
            data = self._stream.read(size)
        except _WRONG as error:
            raise Refused(Reason.DAMAGED, str(error)) from error
        self._archive.spend(len(data))
        return data


def _check_directory(file: BinaryIO) -> None:
    """Look at the end record before the library reads the directory that it announces into memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        raise Refused(Reason.DAMAGED, "no end record")
    entries, directory = struct.unpack("<H I", tail[at + 10 : at + 12] + tail[at + 12 : at + 16])
    if entries > MAX_ENTRIES or directory > MAX_DIRECTORY:
        raise Refused(Reason.TOO_COMPLEX, f"{entries} entries in {directory} bytes")
    file.seek(0)
