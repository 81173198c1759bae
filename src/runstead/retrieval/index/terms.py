"""The terms of a text: what the lexical side of the index stores and looks for.

A text and a query go through the same steps, for both adapters alike:

- Letters are folded: upper and lower case, accents and full-width forms make no difference.
- A word is a run of letters and digits. An English or French plural is reduced to its singular.
- A compound such as `ERR-1042`, `v2.3.1`, `snake_case` or `a/b` is a term as a whole, and its parts are terms too.
  `ERR1042` finds `ERR-1042`, and `10000` finds `10,000`.
- Scripts without spaces between words (Chinese, Japanese, Thai and others, also Korean) are cut into single characters
  and pairs of neighbours.

There is no stemming beyond plurals, and no decomposition of compounds as in German: those matches are left to the
embeddings. Nothing in a text is syntax.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from runstead.retrieval.index.stop_words import without_stop_words

__all__ = ["MAX_QUERY_TERMS", "document_terms", "fold", "query_terms"]

MAX_QUERY_TERMS = 32
"""Terms of a query that are looked for: the first ones."""
_MAX_QUERY = 4_000
"""Characters of a query that are read."""
_MAX_DOCUMENT = 40_000
"""Characters of a chunk that are read: more than 4,096 tokens have. PostgreSQL stores 1 MB of terms for a chunk."""
_MAX_TERM = 64
"""Characters of a term. A longer part is cut, a longer compound is left out."""

# Vowel signs and other marks that belong to the letter before them, which `\w` does not include.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0903\u093a-\u094f\u0951-\u0957"
    "\u0981-\u0983\u09bc-\u09d7\u0a01-\u0a4d\u0a81-\u0acd\u0b01-\u0b57\u0b82-\u0bd7\u0c00-\u0c56\u0c81-\u0cd6"
    "\u0d00-\u0d57\u0dca-\u0ddf\u0e31-\u0e4e\u0eb1-\u0ece\u0f71-\u0fbc\u102b-\u103e\u17b4-\u17d3"
)
_LETTER = rf"[^\W_{_MARKS}][{_MARKS}]*"
_WORD = re.compile(rf"(?:{_LETTER}|_)+(?:(?:[-./:@+&#]|(?<=\d)[,'](?=\d))(?:{_LETTER}|_)+)*(?:\+\+|\#)?")
_ASCII_WORD = re.compile(r"\w+(?:(?:[-./:@+&#]|(?<=\d)[,'](?=\d))\w+)*(?:\+\+|\#)?", re.ASCII)
_SIMPLE = re.compile(r"[a-z]+|[0-9]+")
_PARTS = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IN_CODES = re.compile(r"[-_]")
_NUMBER = re.compile(r"\d{1,3}([.,'])\d{3}(?:\1\d{3})*(?![\d.,])")
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]")
"""Marks without which a word is spelled as well: accents, and the vowels of Hebrew and Arabic."""
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)


def document_terms(*texts: str) -> set[str]:
    """The terms of a chunk: of its text and its headings."""
    words = {word for text in texts for word in _words(text[:_MAX_DOCUMENT])}
    return {term for word in words for term in (_cached if len(word) <= _MAX_TERM else _expanded)(word)}


def query_terms(text: str) -> list[str]:
    """The terms that a query looks for, in its order, without the stop words of its language.

    A query of stop words alone keeps them.
    """
    words = list(_words(text[:_MAX_QUERY]))
    folded = without_stop_words([fold(word) for word in words])
    terms: dict[str, None] = {}
    for word, plain in zip(words, folded, strict=True):
        if plain is not None:
            terms |= dict.fromkeys(_query_expanded(word))
    return list(terms)[:MAX_QUERY_TERMS]


def fold(text: str) -> str:
    """The text without differences of case, accents and widths."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", plain))
    return unicodedata.normalize("NFKC", plain).casefold()


def _words(text: str) -> Iterator[str]:
    """The words and compounds of a text, as they are written."""
    pattern = _ASCII_WORD
    if not text.isascii():
        pattern, text = _WORD, unicodedata.normalize("NFKC", text)
    for word in pattern.findall(text):
        yield word.strip("_") or word


def _query_expanded(word: str) -> Iterator[str]:
    """As `_expanded`, without the single characters of a longer run: pairs say more and match less."""
    expanded = list(_expanded(word))
    paired = any(len(term) == 2 and _UNSPACED.fullmatch(term) for term in expanded)
    for term in expanded:
        if not (paired and len(term) == 1 and _UNSPACED.fullmatch(term)):
            yield term


@lru_cache(32_768)
def _cached(word: str) -> tuple[str, ...]:
    return tuple(_expanded(word))


def _expanded(word: str) -> Iterator[str]:
    """The terms of one word: the word and its parts."""
    plain = fold(word)
    if _SIMPLE.fullmatch(plain) and not _CAMEL.search(word):
        yield _singular(plain[:_MAX_TERM])
        return
    parts = _PARTS.findall(plain)
    if len(parts) > 1 or (parts and parts[0] != plain):
        if len(plain) <= _MAX_TERM:
            yield plain
        number = _NUMBER.fullmatch(plain)
        squeezed = plain.replace(number[1], "") if number else _IN_CODES.sub("", plain)
        if squeezed != plain and len(squeezed) <= _MAX_TERM:
            yield squeezed
    for part in parts:
        yield from _part_terms(part)
    for part in _CAMEL.split(word)[:_MAX_TERM] if len(word) <= _MAX_TERM else ():
        if part != word and part.isalnum():
            yield from _part_terms(fold(part))


def _part_terms(part: str) -> Iterator[str]:
    """The terms of a run of letters and digits."""
    at = 0
    for run in _UNSPACED.finditer(part):
        if run.start() > at:
            yield part[at : run.start()][:_MAX_TERM]
        characters = run[0]
        yield from characters
        for index in range(len(characters) - 1):
            yield characters[index : index + 2]
        at = run.end()
    if at < len(part):
        yield _singular(part[at:][:_MAX_TERM])


def _singular(word: str) -> str:
    """The singular of a plural that ends in `s`. Only the same rule on both sides counts, not the dictionary."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")) or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    return word[:-1]
