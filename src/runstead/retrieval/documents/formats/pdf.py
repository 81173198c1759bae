"""PDF: the text of each page, and the outline's titles as headings."""

import re
from collections import defaultdict
from itertools import islice
from typing import BinaryIO

from pypdfium2 import PdfDocument, PdfiumError
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

from runstead.retrieval.documents.refusal import Reason, Refused
from runstead.retrieval.documents.text_builder import TextBuilder, clean, one_line

__all__ = ["read_pdf"]

MAX_PAGES = 50_000
MAX_TITLES = 5_000
_OUTLINE_DEPTH = 6
_HYPHEN = re.compile(r"[\x02\ufffe]\s*(?=(.?))", re.DOTALL)
"""How the library marks a hyphen at the end of a line, and the character that follows."""
_SPACES = re.compile("[ \t\xa0]+")
_ENDS = tuple(".!?:;。！？」”\"'")


def read_pdf(file: BinaryIO, out: TextBuilder) -> None:
    """Write the text of a PDF file. `Refused` as scanned if no page has any text."""
    try:
        with PdfDocument(file) as document:
            _write(document, out)
    except PdfiumError as error:
        protected = getattr(error, "err_code", None) in {FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY}
        raise Refused(Reason.PROTECTED if protected else Reason.DAMAGED, str(error)) from error


def _write(document: PdfDocument, out: TextBuilder) -> None:
    count = len(document)
    if count > MAX_PAGES:
        raise Refused(Reason.TOO_COMPLEX, f"{count} pages")
    titles = _titles(document)
    damaged = blank = 0
    for index in range(count):
        text = _text(document, index)
        if text is None:
            damaged += 1
        elif not text.strip():
            blank += 1
        else:
            out.place("page", str(index + 1))
            _write_page(text, titles.get(index, []), out)
    if damaged == count:
        raise Refused(Reason.DAMAGED, "no page can be read")
    if damaged + blank == count:
        raise Refused(Reason.SCANNED)


def _text(document: PdfDocument, index: int) -> str | None:
    """The text of a page, or None if the page is damaged."""
    try:
        page = document[index]
        try:
            textpage = page.get_textpage()
            try:
                text = textpage.get_text_range()
            finally:
                textpage.close()
        finally:
            page.close()
    except PdfiumError:
        return None
    return _SPACES.sub(" ", clean(_HYPHEN.sub(_hyphen, text))).replace(" \n", "\n").strip()


def _hyphen(found: re.Match[str]) -> str:
    """A word that is divided over two lines goes on with a small letter. Other hyphens are its own."""
    return "" if found[1].islower() else "-"


def _titles(document: PdfDocument) -> dict[int, list[tuple[str, int]]]:
    """The titles and levels of the outline, by page. An outline that is damaged counts as none."""
    found = defaultdict(list)
    try:
        for entry in islice(document.get_toc(max_depth=_OUTLINE_DEPTH), MAX_TITLES):
            destination = entry.get_dest()
            page = destination.get_index() if destination else None
            if page is not None and (title := one_line(entry.get_title())):
                found[page].append((title, entry.level + 1))
    except (PdfiumError, ValueError):
        return {}
    return found


def _write_page(text: str, titles: list[tuple[str, int]], out: TextBuilder) -> None:
    """Write a page. A title that is found in its text begins there; one that is not, at its top."""
    begins = sorted(((max(text.find(title), 0), title, level) for title, level in titles), key=lambda found: found[0])
    written = 0
    for start, title, level in begins:
        out.write(text[written:start])
        written = start
        out.place("heading", title, level)
    out.write(text[written:])
    if text.endswith(_ENDS):
        out.end_paragraph()
    else:
        out.end_line()
