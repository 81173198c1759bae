"""XLSX: sheets in their order, each row a line of a table; dates and percentages as they are shown."""

from collections.abc import Mapping
from typing import BinaryIO

from runstead.retrieval.documents.formats.package import main_part, relationships
from runstead.retrieval.documents.formats.xlsx_values import NumberFormats, read_formats
from runstead.retrieval.documents.formats.xml_events import elements, parse_xml
from runstead.retrieval.documents.formats.zip_archive import Archive
from runstead.retrieval.documents.refusal import Reason, Refused
from runstead.retrieval.documents.text_builder import TextBuilder

__all__ = ["read_xlsx"]

MAX_COLUMNS = 16_384
_MAX_GAP = 50
"""Empty cells in a row that are kept."""
_TRUE = frozenset({"1", "true", "on"})


def read_xlsx(file: BinaryIO, out: TextBuilder) -> None:
    """Write the text of an XLSX file."""
    archive = Archive(file)
    name = main_part(archive, "xl/workbook.xml")
    if name not in archive.names:
        raise Refused(Reason.DAMAGED, "no workbook")
    related = relationships(archive, name)
    parts = {part.kind: part.part for part in related.values()}
    found = elements(archive.open(name), "sheet", "workbookPr")
    from_1904 = any(a.get("date1904", "").casefold() in _TRUE for kind, a in found if kind == "workbookPr")
    formats = read_formats(archive, parts.get("styles", "xl/styles.xml"), from_1904=from_1904)
    strings = _Strings()
    if (stream := archive.open(parts.get("sharedStrings", "xl/sharedStrings.xml"))) is not None:
        parse_xml(stream, strings)
    sheets = {related[id_].part: a.get("name", "") for _, a in found if (id_ := a.get("id", "")) in related}
    for part, label in sheets.items():
        if (sheet := archive.open(part)) is not None:
            out.end_paragraph()
            out.place("sheet", label)
            out.paragraph(label)
            parse_xml(sheet, _Sheet(out, strings.found, formats))


class _Strings:
    """Collects the strings that cells share. Readings of Japanese words (`rPh`) are left out."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._text: list[str] = []
        self._in_text = False
        self._readings = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._readings += name == "rPh"
        self._in_text = name == "t" and not self._readings

    def end(self, name: str) -> None:
        self._readings -= name == "rPh"
        self._in_text = False
        if name == "si":
            self.found.append("".join(self._text))
            self._text.clear()

    def data(self, text: str) -> None:
        if self._in_text:
            self._text.append(text)


class _Sheet:
    """Writes the rows of a sheet while it is parsed."""

    def __init__(self, out: TextBuilder, strings: list[str], formats: NumberFormats) -> None:
        self._out = out
        self._strings = strings
        self._formats = formats
        self._cells: list[str] = []
        self._column = -1
        self._cell: Mapping[str, str] = {}
        self._text: list[str] = []
        self._in_text = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "c":
            self._cell = attributes
            self._text.clear()
        self._in_text = name in {"v", "t"}

    def end(self, name: str) -> None:
        self._in_text = False
        if name == "c":
            self._place(self._value("".join(self._text)))
        elif name == "row":
            self._out.row(self._cells)
            self._cells = []
            self._column = -1

    def data(self, text: str) -> None:
        if self._in_text:
            self._text.append(text)

    def _place(self, value: str) -> None:
        """Put the value in its column: empty cells may be left out of the file."""
        column = _column(self._cell.get("r", ""), self._column + 1)
        if value:
            self._cells.extend([""] * min(column - self._column - 1, _MAX_GAP))
            self._cells.append(value)
            self._column = column

    def _value(self, text: str) -> str:
        match self._cell.get("t", "n"):
            case "s":
                known = text.isascii() and text.isdecimal() and len(text) < 10 and int(text) < len(self._strings)
                return self._strings[int(text)] if known else ""
            case "b":
                return "TRUE" if text == "1" else "FALSE" if text == "0" else text
            case "n":
                return self._formats.shown(text, self._cell.get("s", ""))
            case _:
                return text


def _column(reference: str, default: int) -> int:
    """The column of a cell such as `AB12`, from 0, which is not before `default`."""
    column = 0
    for letter in reference[:8]:
        if not ("A" <= letter <= "Z"):
            break
        column = column * 26 + ord(letter) - 64
    return min(max(column - 1, default), MAX_COLUMNS)
