"""RTF: paragraphs and table rows."""

import struct
from typing import BinaryIO

from striprtf.striprtf import rtf_to_text

from runstead.retrieval.documents.formats.plain import read_bytes
from runstead.retrieval.documents.refusal import Reason, Refused
from runstead.retrieval.documents.text_builder import TextBuilder

__all__ = ["read_rtf"]

_WRONG = (ValueError, LookupError, OverflowError, TypeError, AttributeError, struct.error)
"""Exceptions that the library raises for wrong RTF."""


def read_rtf(file: BinaryIO, out: TextBuilder) -> None:
    """Write the text of an RTF file."""
    source = read_bytes(file).decode("latin-1")
    try:
        text: str = rtf_to_text(source, errors="replace")  # type: ignore[no-untyped-call]
    except _WRONG as error:
        raise Refused(Reason.DAMAGED, str(error)) from error
    # A character beyond the basic plane is written as two surrogates.
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    for line in text.split("\n"):
        cells = line.split("|")
        if len(cells) > 2 and not cells[-1].strip():
            out.row(cells[:-1])
        else:
            out.paragraph(line)
