"""DOCX: paragraphs, headings, lists, tables, text boxes, footnotes. Headers, footers and comments are left out."""

from collections.abc import Mapping
from typing import BinaryIO

from runstead.retrieval.documents.formats.docx_styles import Style, read_styles
from runstead.retrieval.documents.formats.package import main_part, relationships
from runstead.retrieval.documents.formats.table_rows import TableRows
from runstead.retrieval.documents.formats.xml_events import parse_xml
from runstead.retrieval.documents.formats.zip_archive import Archive
from runstead.retrieval.documents.refusal import Reason, Refused
from runstead.retrieval.documents.text_builder import TextBuilder

__all__ = ["read_docx"]

_NOTES = ("footnotes", "endnotes")
_HIDDEN = frozenset({"Fallback", "moveFrom", "instrText", "delText"})
"""Elements whose text is a second copy, deleted, or an instruction."""
_MARKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}


def read_docx(file: BinaryIO, out: TextBuilder) -> None:
    """Write the text of a DOCX file."""
    archive = Archive(file)
    name = main_part(archive, "word/document.xml")
    parts = {part.kind: part.part for part in relationships(archive, name).values()}
    document = _Document(out, read_styles(archive, parts.get("styles", "word/styles.xml")))
    stream = archive.open(name)
    if stream is None:
        raise Refused(Reason.DAMAGED, "no document")
    parse_xml(stream, document)
    for kind in _NOTES:
        if (notes := archive.open(parts.get(kind, ""))) is not None:
            parse_xml(notes, document)


class _Document:
    """Writes a document while it is parsed."""

    def __init__(self, out: TextBuilder, styles: Mapping[str, Style]) -> None:
        self._out = out
        self._styles = styles
        self._rows = TableRows(out)
        self._paragraphs: list[_Paragraph] = []
        self._hidden = 0
        self._in_text = False
        self._titled = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._hidden or name in _HIDDEN:
            self._hidden += 1
            return
        match name:
            case "t":
                self._in_text = True
            case "p":
                self._paragraphs.append(_Paragraph())
            case "tbl":
                self._flush()
                self._out.end_paragraph()
            case "tr":
                self._rows.start_row()
            case "tc":
                self._rows.start_cell()
            case _ if self._paragraphs:
                self._paragraphs[-1].mark(name, attributes)

    def end(self, name: str) -> None:
        if self._hidden:
            self._hidden -= 1
            return
        match name:
            case "t":
                self._in_text = False
            case "p" if self._paragraphs:
                self._flush()
                self._paragraphs.pop()
            case "tc":
                self._rows.end_cell()
            case "tr":
                self._rows.end_row()
            case "tbl" if not self._rows.in_cell:
                self._out.end_paragraph()
            case _:
                pass

    def data(self, text: str) -> None:
        if self._in_text and self._paragraphs and not self._hidden:
            self._paragraphs[-1].text.append(text)

    def _flush(self) -> None:
        """Write what the innermost paragraph has so far."""
        if not self._paragraphs:
            return
        paragraph = self._paragraphs[-1]
        text = "".join(paragraph.text)
        paragraph.text.clear()
        style = self._styles.get(paragraph.style, Style())
        level = style.level if paragraph.level is None else paragraph.level
        if self._rows.in_cell:
            self._rows.write(text)
        elif style.title and text.strip():
            self._titled = True
            self._out.heading(text, 1)
        elif level:
            self._out.heading(text, level + self._titled)
        elif paragraph.listed or style.listed:
            self._out.item(text)
        else:
            self._out.paragraph(text)


class _Paragraph:
    """A paragraph that is open."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.style = ""
        self.level: int | None = None
        self.listed = False

    def mark(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take note of an element in the paragraph."""
        value = attributes.get("val", "")
        if name in _MARKS and ("pos" not in attributes):
            self.text.append(_MARKS[name])
        elif name == "pStyle":
            self.style = value
        elif name == "outlineLvl" and value.isdecimal() and len(value) == 1:
            self.level = int(value) + 1 if int(value) < 6 else 0
        elif name == "numId":
            self.listed = value != "0"
