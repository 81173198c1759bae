"""The text of bytes whose encoding is not known."""

import codecs
import re

from charset_normalizer import from_bytes

from runstead.retrieval.documents.refusal import Reason, Refused

__all__ = ["declared_encoding", "decoded"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?([A-Za-z0-9._:-]{2,40})")
_DECLARED_IN = 4096
_SAMPLE = 64 * 1024
"""Bytes that are looked at where the encoding has to be guessed."""
_CONTROLS = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_MAX_CONTROLS = 0.005
"""The share of control characters up to which bytes are text."""
_MAX_REPLACED = 0.002
"""The share of wrong bytes up to which text is UTF-8 that was damaged, and not in another encoding."""
_WESTERN = "cp1252"
"""By far the most common one: it is chosen where it fits as well as others do."""
_CLOSE = 0.07


def decoded(data: bytes, declared: str | None = None) -> str:
    """The text of `data`: by its mark, as UTF-8, as the document itself declares, or as it looks most probable.

    A declared encoding that Python does not know is ignored. `Refused` if this is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _text(data, encoding)
    if (wide := _wide(data)) is not None:
        return _text(data, wide)
    if len(_CONTROLS.findall(data[:_SAMPLE])) > _MAX_CONTROLS * min(len(data), _SAMPLE):
        raise Refused(Reason.UNKNOWN_FORMAT, "control characters")
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    if declared and (known := _text_encoding(declared)) and known != "utf-8":
        return _text(data, known)
    damaged = data.decode(errors="replace")
    if damaged.count("\ufffd") <= _MAX_REPLACED * len(data):
        return damaged
    return _text(data, _guessed(data))


def declared_encoding(data: bytes) -> str | None:
    """The encoding that HTML or XML names at its beginning."""
    declared = _DECLARED.search(data[:_DECLARED_IN])
    return declared[1].decode() if declared else None


def _text(data: bytes, encoding: str) -> str:
    text = data.decode(encoding, errors="replace")
    if text.count("\ufffd") + text.count("\0") > max(len(text) * 0.05, 2):
        raise Refused(Reason.UNKNOWN_FORMAT, f"not {encoding}")
    return text


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: most characters of most languages' markup have a zero byte, on one side only."""
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if half >= 2 and odd > 0.3 * half and even < 0.02 * half:
        return "utf-16-le"
    if half >= 2 and even > 0.3 * half and odd < 0.02 * half:
        return "utf-16-be"
    return None


def _text_encoding(name: str) -> str | None:
    """Python's name of a text encoding, or None: `base64` and `zlib` are codecs too."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    return found.name if getattr(found, "_is_text_encoding", False) and found.name not in {"idna", "punycode"} else None


def _guessed(data: bytes) -> str:
    matches = from_bytes(data[:_SAMPLE], steps=5, chunk_size=512)
    best = matches.best()
    if best is None or _text_encoding(best.encoding) is None:
        raise Refused(Reason.UNKNOWN_FORMAT, "no encoding fits")
    for match in matches:
        close = match.chaos - best.chaos < _CLOSE and best.coherence - match.coherence < _CLOSE
        if close and _WESTERN in match.could_be_from_charset:
            return _WESTERN
    return best.encoding
