"""One file as a document, in this process. `reader` does the same in a confined one."""

from typing import BinaryIO

from runstead.retrieval.documents.formats.detection import detect
from runstead.retrieval.documents.port import Document
from runstead.retrieval.documents.refusal import Reason, Refused
from runstead.retrieval.documents.text_builder import TextBuilder

__all__ = ["parse"]


def parse(file: BinaryIO, suffix: str) -> Document:
    """The document in a file whose name has this extension (with its dot, in small letters). Raises `Refused`.

    A hostile file may also exhaust memory or time, or crash the process.
    """
    found = detect(file, suffix)
    out = TextBuilder()
    found.read(file, out)
    text = out.text()
    if not text.strip():
        raise Refused(Reason.NO_TEXT)
    places = [place for place in out.places if place.start < len(text)]
    return Document(text=text, places=places, media_type=found.media_type)
