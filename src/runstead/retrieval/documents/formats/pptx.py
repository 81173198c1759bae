"""PPTX: slides in their order, each with its title, text, tables and notes."""

from collections.abc import Mapping
from typing import BinaryIO

from runstead.retrieval.documents.formats.package import main_part, relationships
from runstead.retrieval.documents.formats.table_rows import TableRows
from runstead.retrieval.documents.formats.xml_events import elements, parse_xml
from runstead.retrieval.documents.formats.zip_archive import Archive
from runstead.retrieval.documents.refusal import Reason, Refused
from runstead.retrieval.documents.text_builder import TextBuilder

__all__ = ["read_pptx"]

_TITLES = frozenset({"title", "ctrTitle"})
_SKIPPED = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})
"""Placeholders of slide numbers, dates, footers and pictures."""


def read_pptx(file: BinaryIO, out: TextBuilder) -> None:
    """Write the text of a PPTX file."""
    archive = Archive(file)
    name = main_part(archive, "ppt/presentation.xml")
    if name not in archive.names:
        raise Refused(Reason.DAMAGED, "no presentation")
    related = relationships(archive, name)
    ids = [attributes.get("id", "") for _, attributes in elements(archive.open(name), "sldId")]
    slides = dict.fromkeys(related[slide].part for slide in ids if slide in related)
    for number, slide in enumerate(slides, 1):
        if (stream := archive.open(slide)) is None:
            continue
        out.end_paragraph()
        out.place("slide", str(number))
        parse_xml(stream, _Slide(out))
        for part in relationships(archive, slide).values():
            if part.kind == "notesSlide" and (notes := archive.open(part.part)) is not None:
                parse_xml(notes, _Slide(out, notes=True))


class _Slide:
    """Writes a slide, or its notes, while it is parsed."""

    def __init__(self, out: TextBuilder, *, notes: bool = False) -> None:
        self._out = out
        self._rows = TableRows(out)
        self._notes = notes
        self._noted = False
        self._placeholder = ""
        self._text: list[str] = []
        self._lines: list[str] = []
        self._in_text = False
        self._hidden = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._hidden or name == "Fallback":
            self._hidden += 1
            return
        match name:
            case "sp":
                self._placeholder = ""
            case "ph":
                self._placeholder = attributes.get("type", "body")
            case "t":
                self._in_text = True
            case "br" | "tab":
                self._text.append(" ")
            case "tbl":
                self._out.end_paragraph()
            case "tr":
                self._rows.start_row()
            case "tc":
                self._rows.start_cell()
            case _:
                pass

    def end(self, name: str) -> None:
        if self._hidden:
            self._hidden -= 1
            return
        match name:
            case "t":
                self._in_text = False
            case "p":
                self._end_paragraph()
            case "sp":
                self._end_shape()
            case "tc":
                self._rows.end_cell()
            case "tr":
                self._rows.end_row()
            case "tbl":
                self._out.end_paragraph()
            case _:
                pass

    def data(self, text: str) -> None:
        if self._in_text and not self._hidden:
            self._text.append(text)

    def _end_paragraph(self) -> None:
        text = " ".join("".join(self._text).split())
        self._text.clear()
        if self._rows.in_cell:
            self._rows.write(text)
        elif text:
            self._lines.append(text)

    def _end_shape(self) -> None:
        lines, self._lines = self._lines, []
        if not lines or self._placeholder in _SKIPPED:
            return
        if self._notes:
            lines[0] = lines[0] if self._noted else f"Notes: {lines[0]}"
            self._noted = True
        if self._placeholder in _TITLES and not self._notes:
            self._out.heading(" ".join(lines), 1)
        else:
            self._out.paragraph("\n".join(lines))
