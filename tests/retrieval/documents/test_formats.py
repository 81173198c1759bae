"""Every other format becomes text with its places, in any encoding, whatever its name says."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from runstead.retrieval.documents.media_types import TEXT_TYPES
from runstead.retrieval.documents.parse import parse
from runstead.retrieval.documents.port import Document
from runstead.retrieval.documents.refusal import Reason, Refused, document_error
from runstead.retrieval.documents.text_builder import TextBuilder
from tests.support.documents import Heading, Item, Table, docx, epub, pdf, rtf, zipped

FILES_PAGE = (Path(__file__).resolve().parents[3] / "docs" / "files.md").read_text()
UMLAUTS = "Größe und Maße: fünf Übergänge über die Straße. Das ist schön für Jürgen und Jörg, die täglich Käse essen. "


def read(data: bytes, suffix: str = "") -> Document:
    return parse(BytesIO(data), suffix)


def places(document: Document) -> list[tuple[str, str, int, str]]:
    """Kind, label, level, and the line that begins there."""
    return [(p.kind, p.label, p.level, document.text[p.start :].split("\n")[0]) for p in document.places]


def test_pdf() -> None:
    document = read(pdf("Größe\nПривет, 漢字 😀", "", "Noise\nLow.", outline=[("Noise", 2), ("Start", 0)]))
    assert document.text == "Größe\nПривет, 漢字 😀\nNoise\nLow."
    assert places(document) == [
        ("page", "1", 0, "Größe"),
        ("heading", "Start", 1, "Größe"),
        ("page", "3", 0, "Noise"),
        ("heading", "Noise", 1, "Noise"),
    ]


def test_words_that_a_pdf_divides_are_joined() -> None:
    document = read(pdf("The imple-\nmentation of pre-\n1990 parts by Meyer-\nSmith."))
    assert document.text == "The implementation of pre-1990 parts by Meyer-Smith."


def test_epub() -> None:
    document = read(epub("The Book", "<h1>One</h1><p>Text &amp; more</p>", "<h1>Two</h1><ul><li>a</li></ul>"))
    assert document.text == "The Book\n\nOne\n\nText & more\n\nTwo\n\n- a"
    assert [(label, level) for _, label, level, _ in places(document)] == [("The Book", 1), ("One", 2), ("Two", 2)]


def test_rtf() -> None:
    document = read(rtf(Heading("Title"), "Größe {x} \\ 😀 漢字", Table([["a", "b"], ["c", "d"]]), Item("end")))
    assert document.text == "Title\n\nGröße {x} \\ 😀 漢字\n\n| a | b |\n| c | d |\n\nend"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one<p>two <b>bold</b>\n word", "one\n\ntwo bold word"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li><p>one</p><li>two<ul><li>in</ul></ul>end", "- one\n- two\n- in\n\nend"),
        ("<table><tr><th>A<th>B<tr><td>1<td>2|3</table>x", "| A | B |\n| 1 | 2\\|3 |\n\nx"),
        ("<table><tr><td><h2>Left</h2><p>a</p><td>right</table>", "Left\n\na\n\nright"),
        ("<table><tr><td>x<table><tr><td>1<td>2</table>y<td>z</table>", "x\n\n| 1 | 2 |\n\ny\n\nz"),
        ("<pre>a\n  b</pre>c", "a\n  b\n\nc"),
        ("<script>if (a<b) '<p>'</script><style>p{}</style>ok<svg><svg>no</svg><title>no</title></svg>!", "ok!"),
        ("&lt;b&gt; &euro; &#x1F600; &nbsp;x &unknown; &#0;", "<b> € 😀 x &unknown; \ufffd"),
        ("<!-- no -->a<![CDATA[b]]><?php no ?>c", "ac"),
        ("</p></div></table></td>a</li>", "a"),
    ],
)
def test_html(html: str, text: str) -> None:
    assert read(f"<html><body>{html}".encode()).text == text


def test_headings_of_html() -> None:
    document = read(b"<!DOCTYPE html><title>Site &amp; more</title><h2>Part\n <i>one</i></h2>text")
    assert places(document) == [("heading", "Site & more", 1, "Site & more"), ("heading", "Part one", 3, "Part one")]


def test_headings_of_markdown() -> None:
    source = (
        "---\ntitle: x\n---\n# One #\n```\n# code\n```\ntext\n\nTwo\n---\n- item\n---\n####### no\n###\n~~~\n# open"
    )
    document = read(source.encode(), ".md")
    assert document.text == source
    assert places(document) == [("heading", "One", 1, "# One #"), ("heading", "Two", 2, "Two")]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (UMLAUTS.encode(), UMLAUTS),
        (UMLAUTS.encode("utf-8-sig"), UMLAUTS),
        (UMLAUTS.encode("utf-16"), UMLAUTS),
        (UMLAUTS.encode("utf-16-be"), UMLAUTS),
        (UMLAUTS.encode("utf-32"), UMLAUTS),
        (UMLAUTS.encode("cp1252"), UMLAUTS),
        (
            "今日は良い天気ですね。明日も晴れるでしょう。".encode("shift_jis") * 9,
            "今日は良い天気ですね。明日も晴れるでしょう。" * 9,
        ),
        (
            "Привет, как дела? Сегодня хорошая погода. ".encode("cp1251") * 9,
            "Привет, как дела? Сегодня хорошая погода. " * 9,
        ),
        (b"a\r\nb\rc\x0bd\x00e\xc2\xade" + b"f" * 500, "a\nb\nc\ndee" + "f" * 500),
        (UMLAUTS.encode() * 9 + b"\xff", UMLAUTS * 9 + "\ufffd"),
        (b'<?xml version="1.0" encoding="iso-8859-5"?><html>' + "слово".encode("iso-8859-5"), "слово"),
        (
            b'<?xml version="1.0" encoding="koi8-r"?>' + "слово".encode("koi8-r"),
            '<?xml version="1.0" encoding="koi8-r"?>слово',
        ),
        (
            "L’été, nous avons dîné à l’hôtel. Ça coûte cher.".encode("cp1252"),
            "L’été, nous avons dîné à l’hôtel. Ça coûte cher.",
        ),
        (
            "Zażółć gęślą jaźń. Łódź jest piękna, a książka leży.".encode("cp1250"),
            "Zażółć gęślą jaźń. Łódź jest piękna, a książka leży.",
        ),
        ("BMW verkauft Autos für die Straße.".encode(), "BMW verkauft Autos für die Straße."),
        (b"A PDF begins with %PDF-1.7.", "A PDF begins with %PDF-1.7."),
        (b'<html><meta charset="no-such-charset">' + UMLAUTS.encode("cp1252"), UMLAUTS),
        (b'<html><meta charset="base64">' + UMLAUTS.encode("cp1252"), UMLAUTS),
    ],
)
def test_encodings(data: bytes, text: str) -> None:
    assert read(data).text == text.rstrip()


@pytest.mark.parametrize(
    ("suffix", "media_type"), [*TEXT_TYPES.items(), ("", "text/plain"), (".unknown", "text/plain")]
)
def test_text_has_the_type_of_its_name(suffix: str, media_type: str) -> None:
    document = read(b"a,b\n1,2\n", suffix)
    assert (document.media_type, document.text.split()) == (media_type, ["a,b", "1,2"])


@pytest.mark.parametrize(
    ("data", "suffix", "media_type"),
    [
        (pdf("text"), ".txt", "application/pdf"),
        (b"\n\n" + pdf("text"), ".pdf", "application/pdf"),
        (docx("text"), ".pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"plain text", ".pdf", "text/plain"),
        (b"<!doctype HTML><p>text", ".txt", "text/html"),
        (b"<html><?php echo 1 ?>", ".php", "text/x-php"),
        (b'{"a": [1,\n 2]}', ".json", "application/json"),
    ],
)
def test_bytes_say_more_than_names(data: bytes, suffix: str, media_type: str) -> None:
    assert read(data, suffix).media_type == media_type


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \n\t ", Reason.NO_TEXT),
        (b"<html><script>x</script>", Reason.NO_TEXT),
        (docx(""), Reason.NO_TEXT),
        (pdf("", ""), Reason.SCANNED),
        (b"%PDF-1.7 and no more", Reason.DAMAGED),
        (docx("text")[:-40], Reason.DAMAGED),
        (zipped({"a.txt": "text"}), Reason.ARCHIVE),
        (zipped({"content.xml": ""}, mimetype="application/vnd.oasis.opendocument.text"), Reason.OPEN_DOCUMENT),
        (zipped({"[Content_Types].xml": "", "word/document.xml": "<!DOCTYPE x><x/>"}), Reason.DAMAGED),
        (OLE + bytes(600), Reason.OLD_OFFICE),
        (OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le"), Reason.PROTECTED),
        (b"\x89PNG\r\n\x1a\n\x00\x00", Reason.MEDIA),
        (b"\x00\x00\x00\x18ftypmp42", Reason.MEDIA),
        (b"\x1f\x8b\x08\x00\x00", Reason.ARCHIVE),
        (b"\x7fELF\x02\x01\x01" + bytes(100), Reason.UNKNOWN_FORMAT),
        (bytes(range(256)) * 8, Reason.UNKNOWN_FORMAT),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(data: bytes, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        read(data)
    assert refused.value.reason is reason


def test_encrypted_files_are_refused_as_protected() -> None:
    password = f"<< /Filter /Standard /V 1 /R 2 /O ({'o' * 32}) /U ({'u' * 32}) /P -4 "
    secret = pdf("text").replace(b"/Root 1 0 R", b"/Root 1 0 R /Encrypt 3 0 R /ID [<00> <00>]")
    secret = secret.replace(b"<< /Type /Font /Subtype /Type0", password.encode() + b"/Type /Font /Subtype /Type0")
    file = BytesIO(epub("Title", "<p>text</p>"))
    with ZipFile(file, "a") as archive:
        archive.writestr("META-INF/encryption.xml", '<e><CipherReference URI="OPS/text/c1.xhtml"/></e>')
    entry = bytearray(docx("text"))
    entry[entry.rindex(b"PK\x01\x02", 0, entry.rindex(b"word/document.xml")) + 8] |= 1  # the flag of encrypted entries
    for data in (secret, file.getvalue(), bytes(entry)):
        with pytest.raises(Refused) as refused:
            read(data)
        assert refused.value.reason is Reason.PROTECTED


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words_for_users_which_are_documented(reason: Reason) -> None:
    error = document_error(reason)
    assert f"| `{error.code}` | {error.message} |" in FILES_PAGE


def test_every_extension_of_text_is_documented() -> None:
    documented = FILES_PAGE[FILES_PAGE.index("`.c ") :].partition("`. ")[0]
    assert documented.strip("`").split() == sorted(TEXT_TYPES)


def test_a_text_of_the_maximum_length_is_read_and_a_longer_one_refused() -> None:
    out = TextBuilder(limit=10)
    out.write("x" * 10)
    with pytest.raises(Refused) as refused:
        out.write("x")
    assert refused.value.reason is Reason.TOO_LONG


def test_labels_are_one_short_line() -> None:
    out = TextBuilder()
    out.heading("a\nb" * 500, 9)
    assert out.places[0].level == 6
    assert len(out.places[0].label) == 200
    assert "\n" not in out.places[0].label
