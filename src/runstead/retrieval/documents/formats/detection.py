"""Which format a file is in: by its bytes first, and by its name where bytes cannot tell."""

import re
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import BinaryIO, NamedTuple, TypeAlias

from runstead.retrieval.documents.formats.docx import read_docx
from runstead.retrieval.documents.formats.epub import read_epub
from runstead.retrieval.documents.formats.html import read_html
from runstead.retrieval.documents.formats.pdf import read_pdf
from runstead.retrieval.documents.formats.plain import read_markdown, read_plain
from runstead.retrieval.documents.formats.pptx import read_pptx
from runstead.retrieval.documents.formats.rtf import read_rtf
from runstead.retrieval.documents.formats.xlsx import read_xlsx
from runstead.retrieval.documents.formats.zip_archive import Archive
from runstead.retrieval.documents.media_types import TEXT_TYPES, MediaType
from runstead.retrieval.documents.refusal import Reason, Refused
from runstead.retrieval.documents.text_builder import TextBuilder

__all__ = ["Format", "detect"]

Read: TypeAlias = Callable[[BinaryIO, TextBuilder], None]


class Format(NamedTuple):
    """A media type, and what reads it."""

    media_type: MediaType
    read: Read


_HEAD = 4096
_PDF = re.compile(rb"%PDF-\d")
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PACKAGES: dict[str, Format] = {
    "word/": Format(MediaType.DOCX, read_docx),
    "ppt/": Format(MediaType.PPTX, read_pptx),
    "xl/": Format(MediaType.XLSX, read_xlsx),
}
_BINARY_SUFFIXES = frozenset({".pdf", ".docx", ".pptx", ".xlsx", ".epub"})
_MARKUP = {MediaType.HTML: read_html, MediaType.MARKDOWN: read_markdown}
_MEDIA = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"OggS", b"ID3", b"\xff\xfb", b"fLaC",
    b"\x1aE\xdf\xa3", b"\0\0\x01\0",
)  # fmt: skip
_ARCHIVES = (b"\x1f\x8b", b"BZh", b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ\0", b"Rar!", b"\x28\xb5\x2f\xfd")


def detect(file: BinaryIO, suffix: str) -> Format:
    """The format of a file. `suffix` is the extension of its name, with its dot. `Refused` if it is not supported."""
    head = file.read(_HEAD)
    file.seek(0)
    if not head:
        raise Refused(Reason.EMPTY)
    pdf = _PDF.search(head[:1024])
    if pdf and (pdf.start() == 0 or suffix == ".pdf" or not _is_text(head)):
        return Format(MediaType.PDF, read_pdf)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _package(file)
    if head.lstrip().startswith(rb"{\rtf"):
        return Format(MediaType.RTF, read_rtf)
    if head.startswith(_OLE):
        encrypted = "EncryptedPackage".encode("utf-16-le") in file.read(1 << 20)
        raise Refused(Reason.PROTECTED if encrypted else Reason.OLD_OFFICE)
    if not _is_text(head):
        _refuse_binary(head)
    if suffix in _BINARY_SUFFIXES and b"\0" in head[:1024]:
        raise Refused(Reason.DAMAGED, f"not a {suffix} file")
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")) and suffix not in _SOURCE:
        return Format(MediaType.HTML, read_html)
    media_type = TEXT_TYPES.get(suffix, MediaType.TEXT)
    return Format(media_type, _MARKUP.get(media_type, read_plain))


_SOURCE = frozenset(TEXT_TYPES) - {".htm", ".html", ".xhtml", ".txt"}
"""Extensions of text that may begin like HTML, and is another format."""


def _package(file: BinaryIO) -> Format:
    """Which document a ZIP archive is."""
    archive = Archive(file)
    file.seek(0)
    if "META-INF/container.xml" in archive.names:
        return Format(MediaType.EPUB, read_epub)
    if "[Content_Types].xml" in archive.names:
        for folder, found in _PACKAGES.items():
            if any(name.startswith(folder) for name in archive.names):
                return found
    if "mimetype" in archive.names and archive.read("mimetype").startswith(b"application/vnd.oasis"):
        raise Refused(Reason.OPEN_DOCUMENT)
    raise Refused(Reason.ARCHIVE)


def _is_text(head: bytes) -> bool:
    """Whether this is the beginning of UTF-8."""
    try:
        getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def _refuse_binary(head: bytes) -> None:
    if head.startswith(_MEDIA) or head[4:8] == b"ftyp":
        raise Refused(Reason.MEDIA)
    if head.startswith(_ARCHIVES) or head[257:262] == b"ustar":
        raise Refused(Reason.ARCHIVE)
