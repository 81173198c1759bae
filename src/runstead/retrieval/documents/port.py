"""The port of document readers: a file of any supported format becomes text, with the places where its parts begin."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol, TypeAlias

from msgspec import Meta, Struct

__all__ = [
    "MAX_CHARACTERS",
    "MAX_LABEL",
    "MAX_PLACES",
    "Document",
    "DocumentError",
    "DocumentReader",
    "ErrorCode",
    "Place",
    "PlaceKind",
]

MAX_CHARACTERS = 20 * 1024 * 1024
"""The longest text of a document: about 5,000,000 tokens."""
MAX_PLACES = 200_000
"""The most places of a document. Later ones are left out."""
MAX_LABEL = 200
"""The longest label of a place, in characters."""

ErrorCode: TypeAlias = Literal["unsupported_file", "invalid_file", "server_error"]
PlaceKind: TypeAlias = Literal["page", "sheet", "slide", "heading"]


class Place(Struct, frozen=True, kw_only=True):
    """Where a part of a document begins."""

    start: Annotated[int, Meta(ge=0, le=MAX_CHARACTERS)]
    """An offset in `Document.text`, in characters."""
    kind: PlaceKind
    label: Annotated[str, Meta(max_length=MAX_LABEL)]
    """The number of a page or a slide, from 1; the name of a sheet; the text of a heading. One line."""
    level: Annotated[int, Meta(ge=0, le=6)] = 0
    """The level of a heading, 1 to 6; of any other place 0."""


class Document(Struct, frozen=True, kw_only=True):
    r"""The text of a file.

    The text has no `\r`, no NUL or other control character but `\n` and `\t`, and no surrogate, so that any database
    can store it. Paragraphs are separated by an empty line. A row of a table is a line: `| cell | cell |`.
    """

    text: str
    """The text to store, at most `MAX_CHARACTERS`, and not blank. All offsets count its characters."""
    places: Sequence[Place] = ()
    """In ascending order of `start`, at most `MAX_PLACES`. A page or a slide begins before the headings on it."""
    media_type: str
    """The type of the file, by its bytes first and its name second. It is never copied from the file."""


class DocumentError(Exception):
    """The file cannot be read. `message` is a sentence for the user; it contains nothing of the file."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class DocumentReader(Protocol):
    """Reads documents, several at once. Hostile ones cost their limits and nothing else."""

    async def read(self, path: Path, file_name: str) -> Document:
        """The text of the file at `path`.

        `file_name` is the user's name for it, which may be anything: only its extension is looked at. A call
        waits while the reader is busy with other files, and ends within the reader's time limit after that. Raises
        `DocumentError`: `unsupported_file` for a format that is not read, `invalid_file` for a file that cannot be
        read, and `server_error` if the same file may be read at another time.
        """
        ...

    async def start(self) -> None:
        """Make ready to read."""
        ...

    async def stop(self) -> None:
        """Interrupt all reads, which then raise a `server_error`, and release all resources."""
        ...
