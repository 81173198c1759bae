"""The server's signing key, from which the secrets of webhooks are derived."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from runstead.wire.error import RunsteadError

__all__ = ["KeyFile"]

_BYTES = 32
_MEMORY = ":memory:"


class KeyFile:
    """A key in a file beside the database, readable by its owner alone. The first call creates it.

    For a database in memory no file is written: the key is lost with the database.
    """

    def __init__(self, database: str | Path) -> None:
        self._path = None if str(database) == _MEMORY else Path(f"{database}.key")
        self._key: bytes | None = None

    def __call__(self) -> bytes:
        """The key. `RunsteadError` if its file cannot be read or written."""
        if self._key is None:
            self._key = secrets.token_bytes(_BYTES) if self._path is None else _read_or_create(self._path)
        return self._key


def _read_or_create(path: Path) -> bytes:
    try:
        return _read(path) or _create(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RunsteadError(f"Cannot use the key in {path}: {reason}") from error


def _read(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        # A symbolic link that another user planted could lead to a key of that user.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="ascii") as file:
            key = bytes.fromhex(file.read())
        if len(key) < _BYTES:
            raise ValueError(f"it has {len(key)} bytes, not {_BYTES}; is it cut off?")
        return key
    return None


def _create(path: Path) -> bytes:
    # The key is written in full before it gets its name: a signature must stay valid after a crash.
    key = secrets.token_bytes(_BYTES)
    file, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # readable by the owner alone
    try:
        os.write(file, key.hex().encode())
        os.fsync(file)
    finally:
        os.close(file)
    Path(draft).replace(path)
    return key
