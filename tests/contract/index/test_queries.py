"""The results of queries: words of several languages, codes, numbers, both sides together, and hostile text."""

import pytest

from runstead.retrieval.index.port import Index
from tests.contract.index.passages import NO_VECTORS, chunks_of, entry, fill, found, search

PASSAGES = [
    "Timeouts of the gateway are reported as ERR-1042 since v2.3.1.",
    "ERR-1043 means that the certificate has expired.",
    "The setting max_retry_count limits what getUserName repeats.",
    "An invoice over 12,500 euros needs two signatures of Mr O'Brien.",
    "Compile it with C++ or C#, and see https://example.org/docs/build.html for more.",
    "Die Kündigungsfrist für die Wohnung in der Großstraße beträgt drei Monate.",
    "Les élèves arrivent à l'école à huit heures précises.",
    "東京都の天気は晴れのち曇りです。",
    "서울의 날씨는 맑습니다.",
    "भाषा सीखना आसान है",
    "ภาษาไทยไม่มีช่องว่าง",
    "Скидка действует до конца недели.",
    "مَرحَبا بكم في المكتبة",
]


QUERIES = [
    ("ERR-1042", 0),
    ("err1042", 0),
    ("ERR-1043", 1),
    ("v2.3.1", 0),
    ("max_retry_count", 2),
    ("retry count", 2),
    ("getusername", 2),
    ("user name", 2),
    ("12500", 3),
    ("12.500", 3),
    ("invoices", 3),
    ("OBRIEN'S O'Brien", 3),
    ("c++", 4),
    ("C#", 4),
    ("example.org", 4),
    ("build.html", 4),
    ("Wie lang ist die Kundigungsfrist?", 5),
    ("GROSSSTRASSE", 5),
    ("eleve", 6),
    ("à quelle heure arrivent les élèves", 6),
    ("天気", 7),
    ("東京の天気は？", 7),
    ("晴", 7),
    ("날씨", 8),
    ("भाषा", 9),
    ("ไทย", 10),
    ("скидка", 11),
    ("مرحبا", 12),
]
"""Each with the number of the passage that it is about."""


async def test_words_and_codes_are_found(index: Index) -> None:
    """The tables are long and one index serves all of their rows, because to fill it takes most of the time."""
    await fill(index, entry("file_1"), PASSAGES)
    best = {query: [*await found(index, query), ""][0] for query, _ in QUERIES}
    assert best == {query: PASSAGES[passage] for query, passage in QUERIES}


async def test_stop_words_find_nothing_unless_they_are_all_there_is(index: Index) -> None:
    await fill(index, entry("file_1"), ["The Who played in the park.", "We ate all of it in the end."])
    assert await found(index, "what is it in the park") == ["The Who played in the park."]
    assert (await found(index, "the who"))[0] == "The Who played in the park."


HOSTILE = [
    "",
    " \t\r\n ",
    "\0",
    "\ud800",
    '"',
    "' OR 1=1 --",
    '"fox" OR * NEAR(fox cat, 2) ^fox -fox {text}: fox',
    "fox & | ! <-> :* ( )",
    "1:fox",
    "%s $1 ?1 :name @x",
    "__ -- .. //",
    "\u202efox\u200b\u00ad",
    "e" + "\u0301" * 5000,
    "fox " * 25_000,
    "a-" * 50_000,
    "x" * 100_000,
    "漢" * 100_000,
    " ".join(f"word{number}" for number in range(10_000)),
]


async def test_no_query_is_syntax_or_too_long(index: Index) -> None:
    await fill(index, entry("file_1"), ["the quick fox", "the lazy dog"], seeds=["fox", "dog"])
    for query in HOSTILE:
        hits = await search(index, query, seed="fox")
        assert hits[0].chunk.text == "the quick fox", query[:50]
        assert all(0 <= hit.score <= 1 for hit in hits), query[:50]
        assert {hit.chunk.text for hit in await search(index, query)} <= {"the quick fox"}, query[:50]


async def test_hostile_passages_are_stored_and_removed(index: Index) -> None:
    many = "".join(chr(0x4E00 + number * number * 7919 % 20_000) for number in range(60_000))
    texts = [
        many,
        "'" * 5000,
        "\0" * 100,
        "\"'\\",
        "word" * 30_000,
        "a-" * 20_000 + "b",
        "\u0301" * 100,
        "",
        "漢字" * 3000,
    ]
    await fill(index, entry("file_1"), texts, seeds=[f"text {number}" for number in range(len(texts))])
    assert (await search(index, "漢字"))[0].chunk.number == 8
    assert (await search(index, seed="text 7"))[0].chunk.number == 7
    await fill(index, entry("file_1", "2"), ["plain"])
    assert await found(index, "漢字") == []
    assert await found(index, "plain") == ["plain"]


async def test_both_sides_are_found_and_add_up(index: Index) -> None:
    texts = ["about cats", "about dogs", "about birds"]
    await fill(index, entry("file_1"), texts, seeds=["purr", "bark", "sing"])
    hits = {hit.chunk.text: hit.score for hit in await search(index, "dogs", seed="purr")}
    assert hits["about cats"] == pytest.approx(1, abs=0.01)
    assert 0.75 < hits["about dogs"] < 0.95
    lexical = (await search(index, "dogs", seed="sing", embedding_weight=0))[0]
    assert lexical.chunk.text == "about dogs"
    dense = await search(index, "dogs", seed="sing", text_weight=0)
    assert dense[0].chunk.text == "about birds"
    (both,) = [hit for hit in await search(index, "dogs", seed="bark") if hit.chunk.text == "about dogs"]
    assert both.score >= max(hits["about dogs"], 0.99)
    assert [hit.chunk.text for hit in await search(index, "dogs")] == ["about dogs"]
    assert await search(index, "dogs", text_weight=0) == []  # neither words nor a vector
    with pytest.raises(ValueError, match="weights"):
        await search(index, "dogs", seed="bark", embedding_weight=0, text_weight=0)


async def test_a_chunk_with_more_of_the_rare_words_scores_higher(index: Index) -> None:
    texts = [f"common words number {number}" for number in range(50)]
    texts += ["common zebra", "zebra quagga", "common quagga words with zebra in it"]
    await fill(index, entry("file_1"), texts)
    hits = await search(index, "common zebra quagga", limit=50)
    assert hits[0].chunk.text == "common quagga words with zebra in it"
    assert hits[1].chunk.text == "zebra quagga"
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    (half,) = await search(index, "unicorn zebra", limit=1)  # a word that no passage has counts as well
    assert half.score < 0.5


async def test_repetition_decides_between_chunks_with_the_same_words(index: Index) -> None:
    await fill(index, entry("file_1"), ["tax once, and much else " * 3, "tax on tax on tax", "tax in passing"])
    assert (await found(index, "tax"))[0] == "tax on tax on tax"


async def test_the_threshold_and_the_limit_hold(index: Index) -> None:
    texts = [f"owl {number}" for number in range(30)]
    await fill(index, entry("file_1"), texts, seeds=["owl"] * 10 + ["mouse"] * 20)
    assert len(await search(index, "owl", seed="owl", limit=7)) == 7
    above = await search(index, "", seed="owl", limit=50, threshold=0.9)
    assert sorted(hit.chunk.number for hit in above) == list(range(10))
    assert await search(index, "owl", seed="owl", limit=0) == []
    assert await search(index, "nothing of it", limit=5, threshold=0.1) == []


async def test_a_vector_of_another_dimension_finds_nothing(index: Index) -> None:
    await fill(index, entry("file_1"), ["a toad"], seeds=["toad"])
    await fill(index, entry("file_2"), ["a newt"])
    hits = await search(index, "toad newt", seed="toad")
    assert [hit.chunk.text for hit in hits] == ["a toad", "a newt"]


async def test_words_that_every_chunk_has_still_find_those_with_all_of_them(index: Index) -> None:
    texts = ["alpha"] * 2500 + ["beta"] * 2500 + ["beta gamma alpha"]
    for first in range(0, len(texts), 1000):
        await index.add(entry("file_1"), chunks_of(texts[first : first + 1000], first), NO_VECTORS)
    await index.publish(entry("file_1"), {})
    assert (await found(index, "alpha beta"))[0] == "beta gamma alpha"
