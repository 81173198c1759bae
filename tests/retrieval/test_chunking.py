"""Chunks cover a document in order, within their sizes, and are cut where the text allows it."""

import unicodedata
from collections.abc import Callable
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstead.domain.chat.tokens import of_text
from runstead.retrieval.borders import is_border
from runstead.retrieval.chunking import MIN_TOKENS, Chunk, chunks
from runstead.retrieval.documents.port import Document, Place

FAMILY = "👩\u200d👩\u200d👧"
SENTENCE = "The pump runs at 40 bar. "


def document(text: str, *places: Place, media_type: str = "text/plain") -> Document:
    return Document(text=text, places=places, media_type=media_type)


def heading(text: str, title: str, level: int = 1) -> Place:
    return Place(start=text.index(title), kind="heading", label=title, level=level)


def texts(source: Document, max_tokens: int, overlap_tokens: int = 0) -> list[str]:
    cut = chunks(source, max_tokens=max_tokens, overlap_tokens=overlap_tokens)
    return [source.text[chunk.start : chunk.end] for chunk in cut]


PIECES = st.sampled_from(
    [
        "word ",
        "a",
        "é",
        "e\u0301",
        FAMILY,
        "🇩🇪",
        "漢字。",
        "한국",
        ". ",
        "\n",
        "\n\n",
        "| a | b |\n",
        "   ",
        "\t",
        "😀",
        "x" * 70,
    ]
)


@st.composite
def documents(draw: Callable[..., object]) -> Document:
    text = ""
    places = []
    for kind, pieces in draw(st.lists(st.tuples(st.sampled_from(["", "heading", "page", "sheet"]), st.lists(PIECES)))):  # type: ignore[attr-defined]
        if kind:
            places.append(Place(start=len(text), kind=kind, label="A label", level=1 if kind == "heading" else 0))
        text += "".join(pieces)
    kept = [place for place in places if place.start < len(text)]
    return Document(text=text, places=kept, media_type=draw(st.sampled_from(["text/plain", "text/csv"])))  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(documents(), st.integers(MIN_TOKENS, 60), st.integers(0, 30))
def test_chunks_cover_the_text_in_order_within_their_sizes(source: Document, max_tokens: int, overlap: int) -> None:
    overlap = min(overlap, max_tokens // 2)
    found = list(chunks(source, max_tokens=max_tokens, overlap_tokens=overlap))
    text = source.text
    covered = 0
    for chunk in found:
        content = text[chunk.start : chunk.end]
        assert content
        assert content == content.strip()
        assert of_text(content) <= max_tokens
        assert not text[covered : chunk.start].strip()
        assert chunk.end > covered
        assert of_text(text[chunk.start : covered]) <= overlap + 1
        covered = chunk.end
    assert not text[covered:].strip()
    assert [chunk.start for chunk in found] == sorted({chunk.start for chunk in found})
    sheets = [place.start for place in source.places if place.kind == "sheet"]
    assert not [
        1
        for chunk in found
        for sheet in sheets
        if chunk.start < sheet < chunk.end and text[chunk.start : sheet].strip()
    ]


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES).map("".join), st.integers(2 * MIN_TOKENS, 60))
def test_no_character_is_cut_that_readers_see_as_one(text: str, max_tokens: int) -> None:
    for chunk in chunks(document(text), max_tokens=max_tokens, overlap_tokens=max_tokens // 2):
        assert is_border(text, chunk.start)
        assert is_border(text, chunk.end)


@pytest.mark.parametrize("whole", ["e\u0301", FAMILY, "🇩🇪", "👍🏽", "한", "\r\n", "का"])
def test_a_character_of_several_parts_has_no_border_in_it(whole: str) -> None:
    text = f"{whole}{whole}"
    assert [at for at in range(len(text) + 1) if is_border(text, at)] == [0, len(whole), len(text)]


def test_a_character_longer_than_a_chunk_is_cut_all_the_same() -> None:
    text = "a" + "\u0301" * 1000
    assert "".join(texts(document(text), MIN_TOKENS)) == text


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (f"{SENTENCE * 4}\n\n{SENTENCE * 4}", ["bar.", "bar."]),
        (f"{SENTENCE * 6}and then some words more that go on", ["bar.", "on"]),
        ("泵以四十巴运行。这是第二句话！" * 4, ["！", "！", "！", "！"]),
        ("plain words without any end " * 8, ["plain", "words", "without", "any", "end"]),
    ],
)
def test_a_chunk_ends_at_a_paragraph_a_sentence_or_a_word(text: str, ends: list[str]) -> None:
    found = texts(document(text), 50)
    assert len(found) >= 2
    assert all(any(part.endswith(end) for end in ends) for part in found)


def test_a_heading_stays_with_the_text_below_it() -> None:
    text = f"Title\n\n{SENTENCE * 5}\n\nPumps\n\nPressure\n\n{SENTENCE * 5}"
    source = document(text, heading(text, "Title"), heading(text, "Pumps", 2), heading(text, "Pressure", 3))
    found = list(chunks(source, max_tokens=60, overlap_tokens=0))
    assert [(chunk.heading, text[chunk.start : chunk.end].split("\n", maxsplit=1)[0]) for chunk in found] == [
        ("Title", "Title"),
        ("Title > Pumps", "Pumps"),
    ]


def test_headings_alone_are_cut_between_them() -> None:
    text = "\n".join(f"# Part {number}" for number in range(100))
    starts = [at for at in range(len(text)) if text[at] == "#"]
    source = document(text, *(Place(start=at, kind="heading", label="Part", level=1) for at in starts))
    assert all(part.startswith("# Part ") for part in texts(source, 40))


def test_nothing_is_repeated_over_a_heading() -> None:
    text = f"One\n\n{SENTENCE * 9}\n\nTwo\n\n{SENTENCE * 9}"
    found = texts(document(text, heading(text, "One"), heading(text, "Two")), 80, 40)
    assert [part for part in found if "Two" in part and not part.startswith("Two")] == []


def test_an_overlap_begins_with_a_sentence() -> None:
    found = texts(document(SENTENCE * 40), 80, 40)
    assert all(part.startswith("The pump") for part in found)
    assert sum(map(len, found)) > 1.4 * len(SENTENCE * 40)


@pytest.mark.parametrize("media_type", ["text/csv", "text/markdown"])
def test_rows_of_a_table_are_whole_and_name_their_columns(media_type: str) -> None:
    rows = [f"| Part {number}. Made of steel. | {number * 7} |" for number in range(60)]
    text = "\n".join(["| Name | Price |", *rows])
    source = document(text, media_type=media_type)
    found = list(chunks(source, max_tokens=80, overlap_tokens=20))
    assert {chunk.heading for chunk in found[1:]} == {"Name | Price"}
    assert {line for chunk in found for line in text[chunk.start : chunk.end].split("\n")} == set(text.split("\n"))


def test_a_chunk_says_its_page_slide_or_sheet() -> None:
    text = f"Prices\n\n| Name | Price |\n{'| Tea | 3 |' + chr(10)}\nStock\n\n| Name | Left |\n| Tea | 9 |"
    sheets = [Place(start=text.index(name), kind="sheet", label=name) for name in ("Prices", "Stock")]
    found = list(chunks(document(text, *sheets)))
    assert [(chunk.place, chunk.heading) for chunk in found] == [("sheet Prices", "Prices"), ("sheet Stock", "Stock")]
    pages = [Place(start=0, kind="page", label="1"), Place(start=30, kind="page", label="2")]
    assert next(chunks(document(SENTENCE * 3, *pages))) == Chunk(0, 74, "", "page 1")


def test_a_path_of_headings_is_bounded() -> None:
    text = "\n\n".join(f"{level}{'x' * 150}" for level in range(1, 7)) + "\n\ntext"
    places = [Place(start=text.index(str(n)), kind="heading", label=f"{n}{'x' * 150}", level=n) for n in range(1, 7)]
    found = list(chunks(document(text, *places), max_tokens=MIN_TOKENS, overlap_tokens=0))
    assert max(len(chunk.heading) for chunk in found) <= 300
    assert found[-1].heading.split(" > ")[-1].startswith("6x")


@pytest.mark.parametrize("unit", ["a", "é", "\u0301", "a ", " ", "\n", "|\n", ". A", "🇩🇪", "x" + 2390 * "\n"])
def test_the_time_is_linear(unit: str) -> None:
    """Eight times the text takes less than 24 times as long, where 64 times would be quadratic."""

    def spent(size: int) -> float:
        text = f"x{unit * (size // len(unit))}x"
        pages = [Place(start=n, kind="page", label="1") for n in range(1, size)]
        source = document(text, Place(start=0, kind="heading", label="x", level=1), *pages)
        started = process_time()
        for _ in chunks(source):
            pass
        return process_time() - started

    assert min(spent(160_000) for _ in range(2)) < 24 * max(min(spent(20_000) for _ in range(3)), 0.0005)


@pytest.mark.parametrize(("max_tokens", "overlap"), [(MIN_TOKENS - 1, 0), (100, 51), (100, -1)])
def test_sizes_that_cannot_be_kept_are_an_error(max_tokens: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="chunks of"):
        chunks(document("text"), max_tokens=max_tokens, overlap_tokens=overlap)


def test_a_korean_syllable_of_letters_is_whole() -> None:
    assert unicodedata.normalize("NFC", "\u1112\u1161\u11ab") == "한"
    assert not is_border("\u1112\u1161\u11ab", 1)
