# Generated from src/runstead/client/_async/download.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The content of a file on its way here."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from runstead.client.http.incoming import ContentHead

__all__ = ["Download", "Owner"]


class Owner(Protocol):
    """The source of the bytes."""

    def close(self) -> None: ...


class Download(Iterator[bytes]):
    """The bytes of a file as they arrive, once. Use it with `with`, or read it to its end."""

    def __init__(self, head: ContentHead, chunks: Iterator[bytes], owner: Owner) -> None:
        self.content_type: str = head.content_type
        self.size: int | None = head.size
        """In bytes, if the server says so."""
        self.file_name: str | None = head.file_name
        self._chunks = chunks
        self._owner = owner
        self._closed = False

    def read(self) -> bytes:
        """All bytes, in memory: for a file whose size is known, or whose server is trusted."""
        content = bytearray()
        for chunk in self:
            content += chunk
        return bytes(content)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the bytes to a file. It is created, or replaced, once all of them are there."""
        target = Path(path)
        partial = target.with_name(f"{target.name}.part")
        with self, partial.open("wb") as file:
            for chunk in self:
                file.write(chunk)
        partial.replace(target)

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop reading."""
        if not self._closed:
            self._closed = True
            self._owner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
