"""EPUB: the chapters in the order of the spine."""

import posixpath
from collections.abc import Mapping
from typing import BinaryIO
from urllib.parse import unquote

from runstead.retrieval.documents.encoding import declared_encoding, decoded
from runstead.retrieval.documents.formats.html import write_html
from runstead.retrieval.documents.formats.xml_events import elements, parse_xml
from runstead.retrieval.documents.formats.zip_archive import Archive
from runstead.retrieval.documents.refusal import Reason, Refused
from runstead.retrieval.documents.text_builder import TextBuilder

__all__ = ["read_epub"]

_ENCRYPTION = "META-INF/encryption.xml"


def read_epub(file: BinaryIO, out: TextBuilder) -> None:
    """Write the text of an EPUB file. The book's title is a heading of the first level, over those of its chapters."""
    archive = Archive(file)
    found = elements(archive.open("META-INF/container.xml"), "rootfile")
    part = next((attributes.get("full-path", "") for _, attributes in found), "")
    stream = archive.open(part)
    if stream is None:
        raise Refused(Reason.DAMAGED, "no package")
    package = _Package()
    parse_xml(stream, package, allow_doctype=True)
    chapters = dict.fromkeys(_resolved(part, package.items[item]) for item in package.spine if item in package.items)
    if _encrypted(archive) & chapters.keys():
        raise Refused(Reason.PROTECTED)
    title = "".join(package.title)
    out.heading(title, 1)
    for name in chapters:
        if name in archive.names:
            data = archive.read(name)
            write_html(decoded(data, declared_encoding(data)), out, shift=1 if title.strip() else 0)


def _resolved(part: str, target: str) -> str:
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(part), unquote(target))).lstrip("/")


def _encrypted(archive: Archive) -> set[str]:
    """The names of encrypted entries. Fonts often are, in books that can be read."""
    return {unquote(uri.get("URI", "")) for _, uri in elements(archive.open(_ENCRYPTION), "CipherReference")}


class _Package:
    """Collects the title, the items and the order of the chapters."""

    def __init__(self) -> None:
        self.title: list[str] = []
        self.items: dict[str, str] = {}
        self.spine: list[str] = []
        self._in_title = False
        self._titled = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "item":
            self.items[attributes.get("id", "")] = attributes.get("href", "")
        elif name == "itemref":
            self.spine.append(attributes.get("idref", ""))
        elif name == "title":
            self._in_title = not self._titled

    def end(self, name: str) -> None:
        if name == "title":
            self._in_title, self._titled = False, True

    def data(self, text: str) -> None:
        if self._in_title:
            self.title.append(text)
