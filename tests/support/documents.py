"""Small writers of documents: `docx`, `pptx`, `xlsx`, `epub`, `pdf`, `rtf`. Each returns the bytes of a valid file."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Self, TypeAlias
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

__all__ = ["Block", "Cell", "Heading", "Item", "Slide", "Table", "docx", "epub", "pdf", "pptx", "rtf", "xlsx", "zipped"]

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


class Heading(str):
    """A heading of level 1, or of `Heading(text, level)`."""

    __slots__ = ("level",)
    level: int

    def __new__(cls, text: str, level: int = 1) -> Self:
        made = super().__new__(cls, text)
        made.level = level
        return made


class Item(str):
    """An item of a list."""

    __slots__ = ()


class Table(tuple[Sequence[str], ...]):
    """Rows of cells: `Table([["Name", "Price"], ["Tea", "3.50"]])`."""

    __slots__ = ()


Block: TypeAlias = str | Table
"""A paragraph, a `Heading`, an `Item` or a `Table`."""
Cell: TypeAlias = str | int | float | bool | datetime | None


class Slide:
    """A slide: its title, its lines or tables, and the speaker's notes."""

    def __init__(self, title: str, *body: Block, notes: str = "") -> None:
        self.title, self.body, self.notes = title, body, notes


def docx(*blocks: Block, title: str = "", footnotes: Sequence[str] = ()) -> bytes:
    """A DOCX file of paragraphs, headings, items and tables."""
    body = "".join(map(_docx_block, blocks))
    if title:
        body = _docx_paragraph(title, "Title") + body
    notes = "".join(f'<w:footnote w:id="{n}">{_docx_paragraph(note)}</w:footnote>' for n, note in enumerate(footnotes))
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="H{level}"><w:name w:val="heading {level}"/></w:style>'
        for level in range(1, 7)
    )
    styles += '<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/></w:style>'
    parts = {
        "word/document.xml": f'<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>',
        "word/styles.xml": f'<w:styles xmlns:w="{_W}">{styles}</w:styles>',
    }
    related = {"styles": "styles.xml"}
    if footnotes:
        parts["word/footnotes.xml"] = f'<w:footnotes xmlns:w="{_W}">{notes}</w:footnotes>'
        related["footnotes"] = "footnotes.xml"
    return _package("word/document.xml", parts, {"word/document.xml": related})


def pptx(*slides: Slide) -> bytes:
    """A PPTX file."""
    parts, relations = {}, {}
    ids = "".join(f'<p:sldId id="{255 + n}" r:id="slide{n}"/>' for n in range(1, len(slides) + 1))
    parts["ppt/presentation.xml"] = (
        f'<p:presentation xmlns:p="{_P}" xmlns:r="{_R}"><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>'
    )
    relations["ppt/presentation.xml"] = {f"slide{n}": f"slides/slide{n}.xml" for n in range(1, len(slides) + 1)}
    for n, slide in enumerate(slides, 1):
        shapes = _shape(slide.title, "title") + "".join(map(_slide_block, slide.body)) + _shape(str(n), "sldNum")
        parts[f"ppt/slides/slide{n}.xml"] = _slide("sld", shapes)
        if slide.notes:
            parts[f"ppt/notesSlides/notesSlide{n}.xml"] = _slide("notes", _shape(slide.notes, "body"))
            relations[f"ppt/slides/slide{n}.xml"] = {"notesSlide": f"../notesSlides/notesSlide{n}.xml"}
    return _package("ppt/presentation.xml", parts, relations)


def xlsx(sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> bytes:
    """An XLSX file: `xlsx({"Prices": [["Name", "Price"], ["Tea", 3.5]]})`. Texts are shared strings."""
    strings: dict[str, int] = {}
    parts, names = {}, ""
    for n, (name, rows) in enumerate(sheets.items(), 1):
        names += f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="worksheet{n}"/>'
        data = "".join(f'<row r="{r}">{_cells(row, r, strings)}</row>' for r, row in enumerate(rows, 1))
        parts[f"xl/worksheets/sheet{n}.xml"] = f'<worksheet xmlns="{_S}"><sheetData>{data}</sheetData></worksheet>'
    parts["xl/workbook.xml"] = f'<workbook xmlns="{_S}" xmlns:r="{_R}"><sheets>{names}</sheets></workbook>'
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{_S}">{shared}</sst>'
    parts["xl/styles.xml"] = (
        f'<styleSheet xmlns="{_S}"><numFmts><numFmt numFmtId="164" formatCode="d mmmm yyyy"/></numFmts>'
        f'<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="10"/></cellXfs></styleSheet>'
    )
    related = {f"worksheet{n}": f"worksheets/sheet{n}.xml" for n in range(1, len(sheets) + 1)}
    related |= {"sharedStrings": "sharedStrings.xml", "styles": "styles.xml"}
    return _package("xl/workbook.xml", parts, {"xl/workbook.xml": related})


def epub(title: str, *chapters: str) -> bytes:
    """An EPUB file; a chapter is the HTML of its body."""
    numbers = range(1, len(chapters) + 1)
    items = "".join(f'<item id="c{n}" href="text/c{n}.xhtml" media-type="application/xhtml+xml"/>' for n in numbers)
    spine = "".join(f'<itemref idref="c{n}"/>' for n in numbers)
    parts = {
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OPS/book.opf"/></rootfiles></container>',
        "OPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<metadata><dc:title>{escape(title)}</dc:title></metadata><manifest>{items}</manifest>"
        f"<spine>{spine}</spine></package>",
    }
    for n, chapter in enumerate(chapters, 1):
        parts[f"OPS/text/c{n}.xhtml"] = (
            f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{n}</title></head><body>{chapter}</body></html>'
        )
    return zipped({name: f"{_XML}{text}" for name, text in parts.items()}, mimetype="application/epub+zip")


def pdf(*pages: str, outline: Sequence[tuple[str, int]] = ()) -> bytes:
    """A PDF file: each page shows the lines of a text, in any language. `outline` has titles and pages, from 0."""
    used = sorted({unit for page in pages for unit in _units(page)})
    numbers = [_first(outline) + 2 * n for n in range(len(pages))]
    objects = [
        "<< /Type /Catalog /Pages 2 0 R" + (" /Outlines 6 0 R >>" if outline else " >>"),
        f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(f'{n} 0 R' for n in numbers)}] >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /Helvetica /Encoding /Identity-H /DescendantFonts [4 0 R] "
        "/ToUnicode 5 0 R >>",
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Helvetica /DW 500 "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
        _stream(_to_unicode(used)),
    ]
    if outline:
        objects.append(f"<< /Type /Outlines /First 7 0 R /Last {6 + len(outline)} 0 R /Count {len(outline)} >>")
    for n, (title, target) in enumerate(outline):
        nearby = (f"/Prev {6 + n} 0 R " if n else "") + (f"/Next {8 + n} 0 R " if n + 1 < len(outline) else "")
        objects.append(f"<< /Title <{_utf16(title)}> /Parent 6 0 R {nearby}/Dest [{numbers[target]} 0 R /XYZ 0 0 0] >>")
    for page in pages:
        number = len(objects) + 2
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> "
            f"/Contents {number} 0 R >>"
        )
        shown = "".join(f"<{''.join(f'{unit:04x}' for unit in _units(line))}> Tj T*\n" for line in page.split("\n"))
        objects.append(_stream(f"BT /F 10 Tf 14 TL 40 800 Td\n{shown}ET"))
    return _pdf_file(objects)


def rtf(*blocks: Block) -> bytes:
    """An RTF file of paragraphs and tables; headings and items become paragraphs."""
    written = "".join(map(_rtf_block, blocks))
    return (rf"{{\rtf1\ansi\ansicpg1252\deff0{{\fonttbl{{\f0\fswiss Helvetica;}}}}\f0 {written}}}").encode("ascii")


def zipped(entries: Mapping[str, str | bytes], mimetype: str = "") -> bytes:
    """A ZIP archive. A `mimetype` comes first and is not compressed, as EPUB requires."""
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        if mimetype:
            archive.writestr(ZipInfo("mimetype"), mimetype, ZIP_STORED)
        for name, content in entries.items():
            archive.writestr(ZipInfo(name), content, ZIP_DEFLATED)  # the same bytes at any time
    return file.getvalue()


def _package(main: str, parts: Mapping[str, str], relations: Mapping[str, Mapping[str, str]]) -> bytes:
    types = f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>'
    entries = {"[Content_Types].xml": types, "_rels/.rels": _relations({"officeDocument": main}), **parts}
    for part, related in relations.items():
        folder, _, name = part.rpartition("/")
        entries[f"{folder}/_rels/{name}.rels"] = _relations(related)
    return zipped({name: f"{_XML}{text}" for name, text in entries.items()})


def _relations(related: Mapping[str, str]) -> str:
    found = "".join(
        f'<Relationship Id="{name}" Type="{_R}/{name.rstrip("0123456789")}" Target="{target}"/>'
        for name, target in related.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{found}</Relationships>'


def _docx_block(block: Block) -> str:
    if isinstance(block, Table):
        rows = "".join(
            f"<w:tr>{''.join(f'<w:tc>{_docx_paragraph(cell)}</w:tc>' for cell in row)}</w:tr>" for row in block
        )
        return f"<w:tbl>{rows}</w:tbl>"
    if isinstance(block, Item):
        return _docx_paragraph(block, properties='<w:numPr><w:numId w:val="1"/></w:numPr>')
    return _docx_paragraph(block, f"H{block.level}" if isinstance(block, Heading) else "")


def _docx_paragraph(text: str, style: str = "", properties: str = "") -> str:
    if style:
        properties += f'<w:pStyle w:val="{style}"/>'
    return f'<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _slide(kind: str, shapes: str) -> str:
    return f'<p:{kind} xmlns:p="{_P}" xmlns:a="{_A}"><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:{kind}>'


def _shape(text: str, placeholder: str) -> str:
    lines = "".join(f"<a:p><a:r><a:t>{escape(line)}</a:t></a:r></a:p>" for line in text.split("\n"))
    return (
        f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="{placeholder}"/></p:nvPr></p:nvSpPr><p:txBody>{lines}</p:txBody></p:sp>'
    )


def _slide_block(block: Block) -> str:
    if not isinstance(block, Table):
        return _shape(block, "body")
    rows = "".join(f"<a:tr>{''.join(map(_slide_cell, row))}</a:tr>" for row in block)
    return (
        f"<p:graphicFrame><a:graphic><a:graphicData><a:tbl>{rows}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )


def _slide_cell(text: str) -> str:
    return f"<a:tc><a:txBody><a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p></a:txBody></a:tc>"


def _cells(row: Sequence[Cell], number: int, strings: dict[str, int]) -> str:
    return "".join(
        _cell(value, f"{_letters(column)}{number}", strings) for column, value in enumerate(row) if value is not None
    )


def _cell(value: Cell, at: str, strings: dict[str, int]) -> str:
    match value:
        case bool():
            return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
        case datetime():
            days = (value - datetime(1899, 12, 30)).total_seconds() / 86_400  # noqa: DTZ001 (of no zone)
            return f'<c r="{at}" s="1"><v>{days!r}</v></c>'
        case str():
            return f'<c r="{at}" t="s"><v>{strings.setdefault(value, len(strings))}</v></c>'
        case _:
            return f'<c r="{at}"><v>{value!r}</v></c>'


def _letters(column: int) -> str:
    high, low = divmod(column, 26)
    return (_letters(high - 1) if high else "") + chr(65 + low)


def _first(outline: Sequence[tuple[str, int]]) -> int:
    """The number of the first page's object."""
    return 6 + (1 + len(outline) if outline else 0)


def _units(text: str) -> list[int]:
    data = text.replace("\n", "").encode("utf-16-be")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _utf16(text: str) -> str:
    return "feff" + text.encode("utf-16-be").hex()


def _to_unicode(used: Sequence[int]) -> str:
    """A map of each code to itself as UTF-16."""
    blocks = []
    for at in range(0, len(used), 100):
        pairs = "".join(f"<{unit:04x}> <{unit:04x}>\n" for unit in used[at : at + 100])
        blocks.append(f"{len(used[at : at + 100])} beginbfchar\n{pairs}endbfchar\n")
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Own def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <ffff> endcodespacerange\n{''.join(blocks)}"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    )


def _stream(content: str) -> str:
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"


def _pdf_file(objects: Sequence[str]) -> bytes:
    data = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{content}\nendobj\n".encode("ascii")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    end = (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer << /Size {len(objects) + 1} /Root 1 0 R >>\n"
    )
    return data + f"{end}startxref\n{len(data)}\n%%EOF\n".encode("ascii")


def _rtf_block(block: Block) -> str:
    if isinstance(block, Table):
        return "".join("".join(_rtf(cell) + r"\cell " for cell in row) + r"\row " for row in block)
    return _rtf(block) + r"\par "


def _rtf(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("{", r"\{").replace("}", r"\}")
    return "".join(
        letter if letter.isascii() else "".join(f"\\u{unit - 65536 * (unit > 32767)}?" for unit in _units(letter))
        for letter in escaped
    )
