"""Uploads as they arrive. They are never whole in memory."""

from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

from runstead.wire.error import RunsteadError

__all__ = ["Disconnected", "FilePart", "Upload"]

B_co = TypeVar("B_co", covariant=True)


class Disconnected(RunsteadError):
    """The sender of a request left before its end."""


class FilePart(Protocol):
    """One file of an upload. Iterating over it reads its bytes, once; `Disconnected` if they break off."""

    @property
    def name(self) -> str:
        """The name of the form's field."""
        ...

    @property
    def file_name(self) -> str:
        """The name that the sender gave the file, without folders."""
        ...

    @property
    def content_type(self) -> str | None:
        """The media type, if the sender named one."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class Upload(Protocol[B_co]):
    """A form with files, while it arrives. Its parts may come in any order, so the files are read first."""

    def files(self) -> AsyncIterator[FilePart]:
        """The files in the order of arrival. Asking for the next one skips what was not read of the last."""
        ...

    async def fields(self) -> B_co:
        """The other fields. Reads to the end of the form, over files that were not read.

        `BadRequest` if a field is wrong, or if a file is missing.
        """
        ...
