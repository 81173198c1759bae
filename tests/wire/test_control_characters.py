"""Control characters are escaped."""

import pytest

from runstead.wire.control_characters import escape_control


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ærø 日本 👍", "Ærø 日本 👍"),
        ("no\u00a0break, \u3000, 👩\u200d🚀", "no\u00a0break, \u3000, 👩\u200d🚀"),
        ("\u061c\u2028", r"\u061c\u2028"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("\0\x07\x7f\x9b", r"\x00\x07\x7f\x9b"),
        ("a\r\nb", r"a\r\nb"),
        ("\u202eabc", r"\u202eabc"),
        ("\ud800", r"\ud800"),
    ],
)
def test_control_characters_are_escaped_and_other_text_is_unchanged(text: str, shown: str) -> None:
    assert escape_control(text) == shown


def test_some_characters_are_kept() -> None:
    assert escape_control("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"
