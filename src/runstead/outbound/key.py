"""The server's own key, of which the secrets of webhooks are made."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from runstead.wire.error import RunsteadError

__all__ = ["KeyFile"]

_BYTES = 32
_MEMORY = ":memory:"


class KeyFile:
    """A key in a file beside a database, made when it is first needed, and readable by its owner alone.

    Beside a database in memory there is no file: the key is gone with it.
    """

    def __init__(self, database: str | Path) -> None:
        self._path = None if str(database) == _MEMORY else Path(f"{database}.key")
        self._key: bytes | None = None

    def __call__(self) -> bytes:
        """The key. `RunsteadError` in words if it cannot be kept."""
        if self._key is None:
            self._key = secrets.token_bytes(_BYTES) if self._path is None else _kept(self._path)
        return self._key


def _kept(path: Path) -> bytes:
    try:
        return _read(path) or _make(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RunsteadError(f"Cannot use the key in {path}: {reason}") from error


def _read(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        key = bytes.fromhex(path.read_text("ascii"))
        if len(key) < _BYTES:
            raise ValueError(f"it has {len(key)} bytes, not {_BYTES}; is it cut off?")
        return key
    return None


def _make(path: Path) -> bytes:
    # On disk as a whole before it has its name: what was signed by it once must hold after a crash, too.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    key = secrets.token_bytes(_BYTES)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, key.hex().encode())
        os.fsync(file)
    finally:
        os.close(file)
    draft.replace(path)
    return key
