"""Office files become text with their headings, lists, tables, slides and sheets."""

from datetime import datetime
from io import BytesIO

import pytest

from runstead.retrieval.documents.formats.xlsx_values import NumberFormats
from runstead.retrieval.documents.parse import parse
from runstead.retrieval.documents.port import Document
from tests.support.documents import Cell, Heading, Item, Slide, Table, docx, pptx, xlsx, zipped

PRICES = Table([["Name", "Price"], ["Tea", "3.50"], ["a|b", ""]])
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def read(data: bytes) -> Document:
    return parse(BytesIO(data), "")


def places(document: Document) -> list[tuple[str, str, int, str]]:
    """Kind, label, level, and the line that begins there."""
    return [(p.kind, p.label, p.level, document.text[p.start :].split("\n")[0]) for p in document.places]


def body(xml: str) -> Document:
    """A DOCX file with this body, and nothing else but its main part."""
    return read(
        zipped({"[Content_Types].xml": "", "word/document.xml": f"<w:document {W}><w:body>{xml}</w:body></w:document>"})
    )


def test_docx() -> None:
    document = read(
        docx(
            Heading("Pumps"),
            "Pressure & 😀.",
            Item("one"),
            Item("two"),
            PRICES,
            Heading("Noise", 2),
            "Low.",
            title="Guide",
            footnotes=["A note."],
        )
    )
    assert document.text == (
        "Guide\n\nPumps\n\nPressure & 😀.\n\n- one\n- two\n\n| Name | Price |\n| Tea | 3.50 |\n| a\\|b |  |\n\n"
        "Noise\n\nLow.\n\nA note."
    )
    assert places(document) == [
        ("heading", "Guide", 1, "Guide"),
        ("heading", "Pumps", 2, "Pumps"),
        ("heading", "Noise", 3, "Noise"),
    ]
    assert document.media_type == "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>", "a\tb\nc"),
        (
            "<w:p><w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins></w:p>",
            "new",
        ),
        (
            "<w:p><w:moveFrom><w:r><w:t>x</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>y</w:t></w:r></w:moveTo></w:p>",
            "y",
        ),
        ("<w:p><w:r><w:instrText>PAGE</w:instrText><w:t>7</w:t></w:r></w:p>", "7"),
        ("<w:p><w:r><Choice><w:t>1</w:t></Choice><Fallback><w:t>1</w:t></Fallback></w:r></w:p>", "1"),
        (
            "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>in</w:t></w:r></w:p>"
            "</w:tc></w:tr></w:tbl></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
            "| a in | b |",
        ),
        ("<w:p><w:r><w:t>a</w:t></w:r><w:txbx><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbx></w:p>", "box\n\na"),
    ],
)
def test_parts_of_a_docx(xml: str, text: str) -> None:
    assert body(xml).text == text


def test_pptx() -> None:
    document = read(pptx(Slide("Pumps", "one\ntwo", PRICES, notes="Say this."), Slide("", "body")))
    assert document.text == (
        "Pumps\n\none\ntwo\n\n| Name | Price |\n| Tea | 3.50 |\n| a\\|b |  |\n\nNotes: Say this.\n\nbody"
    )
    assert places(document) == [
        ("slide", "1", 0, "Pumps"),
        ("heading", "Pumps", 1, "Pumps"),
        ("slide", "2", 0, "body"),
    ]


def test_xlsx() -> None:
    day = datetime(2024, 2, 29)  # noqa: DTZ001 (cells have no zone)
    rows: list[list[Cell]] = [["Name", "Price", "Since"], ["Tea", 3.5, day], [None, True, 0.1 + 0.2], [], ["x"]]
    document = read(xlsx({"Prices": rows, "Lager & mehr": [["Rest", 12345678901234567890]]}))
    assert document.text == (
        "Prices\n\n| Name | Price | Since |\n| Tea | 3.5 | 29 February 2024 |\n|  | TRUE | 0.3 |\n| x |\n\n"
        "Lager & mehr\n\n| Rest | 12345678901234567890 |"
    )
    assert places(document) == [("sheet", "Prices", 0, "Prices"), ("sheet", "Lager & mehr", 0, "Lager & mehr")]


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("yyyy-mm-dd", 45351, "2024-02-29"),
        ("d. mmmm yy", 45351, "29. February 24"),
        ("ddd, dd/mm", 45351, "Thu, 29/02"),
        ("hh:mm:ss", 0.75, "18:00:00"),
        ("h:mm AM/PM", 0.5, "12:00 PM"),
        ("yyyy-mm-dd h:mm", 45351.5, "2024-02-29 12:00"),
        ("[h]:mm", 1.5, "36:00"),
        ("mm:ss", 0.001, "01:26"),
        ('"due" d/m', 45351, "due 29/2"),
        ("[$-409]d\\-mmm;@", 45351, "29-Feb"),
        ("0.0%", 0.1234, "12.3%"),
        ("0%", 0.5, "50%"),
        ("#,##0.00", 1234.5, "1234.5"),
        ("General", 0.30000000000000004, "0.3"),
        ("yyyy", 1e300, "1e+300"),
        ("yyyy", -5, "-5"),
        ('"shelved"', 7, "7"),
    ],
)
def test_numbers_are_shown_by_their_format(code: str, number: float, shown: str) -> None:
    assert NumberFormats([code], from_1904=False).shown(repr(number), "0") == shown


def test_dates_may_count_from_1904() -> None:
    assert NumberFormats(["yyyy-mm-dd"], from_1904=True).shown("0", "0") == "1904-01-01"
