"""Hostile, truncated and mutated documents, the same ones each time: name, bytes."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from tests.support.documents import Heading, Item, Slide, Table, docx, epub, pdf, pptx, rtf, xlsx, zipped

__all__ = ["broken", "hostile", "samples"]

SEED = 20
CUTS = 12
MUTATIONS = 22
LOTS = 100_000
DEEP = 100_000


def samples() -> Mapping[str, bytes]:
    """A small valid file of each format, by its name."""
    table = Table([["Name", "Price"], ["Tea", "3.50"]])
    return {
        "a.docx": docx(Heading("Pumps"), "Pressure.", Item("one"), table, title="Guide", footnotes=["note"]),
        "a.pptx": pptx(Slide("Pumps", "one\ntwo", table, notes="notes"), Slide("Noise", "low")),
        "a.xlsx": xlsx({"Prices": [["Name", "Price"], ["Tea", 3.5], [True, None, "x"]], "Stock": [["a"]]}),
        "a.epub": epub("Book", "<h1>One</h1><p>text &amp; more</p>", "<table><tr><td>1<td>2</table>"),
        "a.pdf": pdf("Größe\nzwei", "Noise\nlow", outline=[("Noise", 1)]),
        "a.rtf": rtf("Größe", table, "end"),
        "a.html": b"<!doctype html><title>T</title><h1>One</h1><table><tr><td>1<td>2</table><pre>x</pre><ul><li>a</ul>",
        "a.md": "# One\n\ntext\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nTwo\n===\nGröße".encode(),
        "a.txt": "Größe und Maße für Jürgen".encode("cp1252"),
    }


def broken() -> Iterator[tuple[str, bytes]]:
    """Each sample cut at several places, and with bytes changed, removed, repeated and inserted."""
    chosen = random.Random(SEED)
    for name, data in samples().items():
        for _ in range(CUTS):
            yield f"cut-{name}", data[: chosen.randrange(len(data))]
        for number in range(MUTATIONS):
            inner = data.startswith(b"PK") and number % 2
            yield f"mutated-{name}", _mutated_inside(data, chosen) if inner else _mutated(data, chosen)


def _mutated_inside(data: bytes, chosen: random.Random) -> bytes:
    """An archive that is valid, with one entry changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    name = chosen.choice(sorted(entries))
    return zipped({**entries, name: _mutated(entries[name], chosen)})


def _mutated(data: bytes, chosen: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chosen.choice([1, 3, 30])):
        at = chosen.randrange(len(changed))
        span = chosen.choice([1, 2, 8, 100])
        match chosen.randrange(5):
            case 0:
                changed[at] = chosen.randrange(256)
            case 1:
                changed[at] ^= 1 << chosen.randrange(8)
            case 2 if len(changed) > 2 * span:
                del changed[at : at + span]
            case 3:
                changed[at:at] = changed[at : at + span] * chosen.choice([1, 50])
            case _:
                changed[at:at] = chosen.choice(
                    [b"\0" * span, b"\xff" * span, b"<" * span, b"-1", b"99999999999", b"%s"]
                )
    return bytes(changed)


def hostile() -> Iterator[tuple[str, bytes]]:
    """Documents that are made to cost much, or to lead astray."""
    yield from _archives()
    yield from _markup()
    yield from _pdfs()
    yield from _texts()


def _docx_of(document: str, **more: str | bytes) -> bytes:
    return zipped({"[Content_Types].xml": "", "word/document.xml": document, **more})


def _archives() -> Iterator[tuple[str, bytes]]:
    yield "bomb.docx", _bomb(500)
    yield "text-bomb.docx", _docx_of("<d><p><t>" + "x" * (22 << 20) + "</t></p></d>")
    yield "string-bomb.xlsx", xlsx({"A": [["x" * 30_000] * 800]})
    yield "entries.docx", zipped({f"{n}": "" for n in range(30_000)})
    yield "nested.zip", zipped({"a.zip": zipped({"b.zip": zipped({"c": "x"})})})
    yield "slip.docx", zipped({"../../../etc/passwd": "x", "/etc/shadow": "y", "[Content_Types].xml": "", "word/a": ""})
    yield "twice.docx", _twice()
    yield "overlap.docx", _overlapping()
    for field, name in ((20, "packed"), (24, "size"), (42, "offset"), (10, "method"), (28, "name"), (30, "extra")):
        for value in (0, 1, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF):
            yield f"lying-{name}-{value}.docx", _lying(field, value)
    yield "names.docx", zipped({"word/" + "n" * 60_000: "", "[Content_Types].xml": "", "word/\0x": "y"})
    yield "comment.docx", docx("text") + b"PK\x05\x06" * 1000
    yield "prefix.docx", b"PK\x03\x04" + b"\0" * 1000 + docx("text")
    yield "empty.zip", zipped({})
    yield "loop.pptx", _loop()
    yield "outside.docx", docx("text").replace(b"styles.xml", b"../../../x")


def _bomb(mebibytes: int) -> bytes:
    """An entry of half a megabyte that unpacks to so much space in front of nothing: one flushed block, repeated."""
    packer = zlib.compressobj(wbits=-15)
    head = packer.compress(b"<d>") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = head + block * mebibytes + packer.flush()
    data = _docx_of("<d/>")
    name = b"word/document.xml"
    at, entry, end = data.rindex(b"PK\x03\x04"), data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    sizes = struct.pack("<III", 0, len(packed), (mebibytes << 20) + 3)
    local = data[at : at + 14] + sizes + data[at + 26 : at + 30] + name + packed
    central = data[data.index(b"PK\x01\x02") : entry] + data[entry : entry + 16] + sizes + data[entry + 28 : end]
    last = data[end : end + 12] + struct.pack("<II", len(central), at + len(local)) + data[end + 20 :]
    return data[:at] + local + central + last


def _lying(field: int, value: int) -> bytes:
    """A DOCX file whose list of entries says something wrong about its document."""
    data = bytearray(docx("text " * 1000))
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"word/document.xml")) + field
    width = 2 if field in {10, 28, 30} else 4
    data[at : at + width] = (value & (256**width - 1)).to_bytes(width, "little")
    return bytes(data)


def _twice() -> bytes:
    file = io.BytesIO(docx("first"))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(zipfile.ZipInfo("word//document.xml"), "<x/>")
    return file.getvalue().replace(b"word//document.xml", b"word/document.xml\0")


def _overlapping() -> bytes:
    """Thousands of entries that share the same packed bytes."""
    body = b"<d>" + b" " * (1 << 20) + b"</d>"
    data = zipped({"a": body})
    start = data.index(b"PK\x01\x02")
    entry = data[start : data.index(b"PK\x05\x06")]
    entries = entry * 10_000
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 10_000, 10_000, len(entries), start, 0)
    return data[:start] + entries + end


def _loop() -> bytes:
    """Slides whose relationships lead to themselves."""
    relation = '<Relationships><Relationship Id="r" Type="x/slide" Target="presentation.xml"/></Relationships>'
    return zipped(
        {
            "[Content_Types].xml": "",
            "ppt/presentation.xml": "<p xmlns:r='r'>" + "<sldId r:id='r'/>" * 5000 + "</p>",
            "ppt/_rels/presentation.xml.rels": relation,
        }
    )


def _markup() -> Iterator[tuple[str, bytes]]:
    def style(name: str, parent: str) -> str:
        return f"<style styleId='{name}'><basedOn val='{parent}'/></style>"

    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 30))
    yield "laughs.docx", _docx_of(f'<!DOCTYPE d [<!ENTITY e0 "ha">{entities}]><d><p><t>&e29;</t></p></d>')
    quadratic = f'<!DOCTYPE d [<!ENTITY e "{"x" * 50_000}">]><d><p><t>{"&e;" * 50_000}</t></p></d>'
    yield "quadratic.docx", _docx_of(quadratic)
    for target in ("file:///etc/passwd", "http://127.0.0.1:9/x", "/dev/zero"):
        yield "external.docx", _docx_of(f'<!DOCTYPE d [<!ENTITY e SYSTEM "{target}">]><d><p><t>&e;</t></p></d>')
        yield "external-dtd.docx", _docx_of(f'<!DOCTYPE d SYSTEM "{target}"><d><p><t>a</t></p></d>')
        yield "external.epub", epub("T", f'<p>a</p><img src="{target}"/><object data="{target}"/>')
    yield "deep.docx", _docx_of("<a>" * DEEP)
    yield "tables.docx", _docx_of("<d>" + "<tbl><tr><tc>" * 100 + "<p><t>x</t></p>")
    yield "many.docx", _docx_of("<d>" + "<p/>" * 1_000_000 + "</d>")
    yield "attributes.docx", _docx_of("<d " + " ".join(f'a{n}="{n}"' for n in range(LOTS)) + "/>")
    yield "namespaces.docx", _docx_of("".join(f'<a xmlns="u{n}">' for n in range(300)) + "<p><t>x")
    yield "encoding.docx", _docx_of('<?xml version="1.0" encoding="no-such"?><d/>')
    yield "utf7.docx", _docx_of('<?xml version="1.0" encoding="utf-7"?><d><p><t>+ADw-</t></p></d>')
    yield (
        "styles.docx",
        _docx_of(
            "<d><p><pStyle val='A'/><t>x</t></p></d>",
            **{"word/styles.xml": f"<s>{style('A', 'B')}{style('B', 'A')}</s>"},
        ),
    )
    yield "columns.xlsx", xlsx({"A": [["x"]]}).replace(b"A1", b"ZZ")
    yield "deep.html", b"<html>" + b"<div>" * DEEP + b"text"
    yield "deep-tables.html", b"<html>" + b"<table><tr><td>" * DEEP + b"text"
    yield "deep-lists.html", b"<html>" + b"<ul><li>" * DEEP + b"text"
    yield "comments.html", b"<html>" + b"<!--" * LOTS
    yield "marks.html", b"<html>" + b"<" * LOTS
    yield "declarations.html", b"<html>" + b"<!x" * LOTS
    yield "processing.html", b"<html>" + b"<?" * LOTS
    yield "references.html", b"<html>" + b"&" * LOTS + b"&#99999999999999999999999;"
    yield "attributes.html", b"<html><p " + b"a=" * LOTS
    yield "quotes.html", b"<html><p a='" + b"<p a='" * LOTS
    yield "cells.html", b"<html><table><tr>" + b"<td>" * LOTS
    yield "cell-blocks.html", b"<html><table><tr><td>" + b"<p>x" * LOTS
    yield "item-blocks.html", b"<html><li>" + b"<!-- --> <p>" * LOTS
    yield "script.html", b"<html><script>" + b"</" * LOTS
    yield "unclosed.html", b"<html>text<svg>" * 1000
    yield "title.html", b"<html><title>" + b"x" * LOTS


def _pdfs() -> Iterator[tuple[str, bytes]]:
    yield "pages.pdf", _objects("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1000000 /Kids [] >>")
    shared = " ".join(["3 0 R"] * LOTS)
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
    yield (
        "same-pages.pdf",
        _objects("<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Count {LOTS} /Kids [{shared}] >>", page),
    )
    yield "loop.pdf", _objects("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] >>")
    yield "nest.pdf", _objects("<< /Type /Catalog /Pages 2 0 R >>", "[" * DEEP)
    yield "names.pdf", _objects("<< /Type /Catalog /Pages 2 0 R >>", "<< /" + "N" * LOTS + " 1 >>")
    yield "self.pdf", _objects("1 0 R", "2 0 R")
    good = pdf("text", outline=[("text", 0)])
    yield "outline-loop.pdf", good.replace(b"/First 7 0 R", b"/First 6 0 R")
    yield "length.pdf", good.replace(b"/Length ", b"/Length 9999999")
    yield "negative.pdf", good.replace(b"/Length ", b"/Length -")
    yield "filters.pdf", good.replace(b"<< /Length", b"<< /Filter [" + b"/FlateDecode " * 1000 + b"] /Length")
    yield "xref.pdf", good[: good.rindex(b"startxref")] + b"startxref\n0\n%%EOF"
    yield "operators.pdf", pdf("text").replace(b"BT", b"q " * 10_000 + b"BT")
    yield "huge-box.pdf", good.replace(b"[0 0 595 842]", b"[0 0 1e38 -1e38]")
    yield "only-header.pdf", b"%PDF-1.7\n" + b"\0" * 100_000


def _objects(*objects: str) -> bytes:
    data, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{content}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    count = len(objects) + 1
    end = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer << /Size {count} /Root 1 0 R >>\n"
    return data + f"{end}startxref\n{len(data)}\n".encode()


def _texts() -> Iterator[tuple[str, bytes]]:
    yield "long.txt", b"x" * (22 << 20)
    yield "wide.txt", "\U0001f600".encode() * (6 << 20)
    yield "blank.txt", b" " * (10 << 20)
    yield "nul.txt", b"\0" * 100_000
    yield "noise.bin", random.Random(SEED).randbytes(100_000)
    yield "half.txt", "text".encode("utf-16")[:-1]
    yield "mark.txt", b"\xff\xfe"
    yield "odd.txt", b"\xfe\xff" + b"\xd8\x00" * 1000
    yield "utf32.txt", b"\xff\xfe\0\0" + b"\xff" * 400
    yield "headings.md", b"# x\n" * 300_000
    yield "fences.md", b"```\n" * LOTS
    yield "underlines.md", b"x\n===\n\n" * LOTS
    yield "braces.rtf", rb"{\rtf1 " + b"{" * LOTS
    yield "closing.rtf", rb"{\rtf1 " + b"}" * LOTS
    yield "pict.rtf", rb"{\rtf1 {\pict\bin99999999999 " + b"x" * 1000
    yield "numbers.rtf", rb"{\rtf1 \u99999999999? \u-99999? \uc-5 \ansicpg99999999 text}"
    yield "surrogates.rtf", rb"{\rtf1 \u-10179? x \u-8704? end}"
    yield "fonts.rtf", rb"{\rtf1 {\fonttbl" + rb"{\f0\fcharset" * 20_000
    yield "hex.rtf", rb"{\rtf1 " + rb"\'ff" * LOTS + b"}"
