"""Text that is kept as it is: plain text, JSON, CSV, source code; and Markdown with its headings."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from runstead.retrieval.documents.encoding import declared_encoding, decoded
from runstead.retrieval.documents.port import MAX_CHARACTERS
from runstead.retrieval.documents.refusal import Reason, Refused
from runstead.retrieval.documents.text_builder import TextBuilder, clean

__all__ = ["read_bytes", "read_markdown", "read_plain"]

MAX_BYTES = 4 * MAX_CHARACTERS
"""Bytes of the longest text, in the widest encoding."""
_HASHES = re.compile(r" {0,3}(#{1,6})[ \t]")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NO_TITLE = re.compile(r"[ \t]*(?:[#>|*+-]|\d+[.)]|$)|    ")


def read_bytes(file: BinaryIO) -> bytes:
    """The whole file. `Refused` if it is longer than any text."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Refused(Reason.TOO_LONG)
    return data


def read_plain(file: BinaryIO, out: TextBuilder) -> None:
    """Write a text as it is."""
    data = read_bytes(file)
    out.write(decoded(data, declared_encoding(data) if data.startswith(b"<?xml") else None))


def read_markdown(file: BinaryIO, out: TextBuilder) -> None:
    """Write Markdown as it is, and mark its headings."""
    text = clean(decoded(read_bytes(file)))
    written = 0
    for start, title, level in _headings(text):
        out.write(text[written:start])
        out.place("heading", title, level)
        written = start
    out.write(text[written:])


def _headings(text: str) -> Iterator[tuple[int, str, int]]:
    """The offset, title and level of each heading outside of blocks of code."""
    offset, fence = 0, ""
    previous, previous_offset = "", 0
    for line in text.split("\n"):
        if fence:
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            previous = ""
        elif opened := _FENCE.match(line):
            fence, previous = opened[1], ""
        elif hashes := _HASHES.match(line):
            if title := _title(line[hashes.end() :]):
                yield offset, title, len(hashes[1])
            previous = ""
        elif previous and (underline := _UNDERLINE.match(line)) and not _NO_TITLE.match(previous):
            yield previous_offset, previous.strip(), 1 if underline[1][0] == "=" else 2
            previous = ""
        else:
            # Only a line of its own is a title: a blank stands for a paragraph of several.
            previous = "" if not line.strip() else " " if previous else line
        previous_offset = offset
        offset += len(line) + 1


def _title(text: str) -> str:
    """The text of a heading, without hashes behind it."""
    text = text.strip()
    title = text.rstrip("#")
    return title.rstrip() if title[-1:] in {"", " ", "\t"} else text
