"""Control characters are escaped."""

import pytest

from runstead.wire.control_characters import escape_control


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ærø 日本 👍", "Ærø 日本 👍"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("\0\x07\x7f\x9b", r"\x00\x07\x7f\x9b"),
        ("a\r\nb", r"a\r\nb"),
        ("\u202eabc", r"\u202eabc"),
        ("\ud800", r"\ud800"),
    ],
)
def test_characters_that_are_not_printable_are_escaped(text: str, shown: str) -> None:
    assert escape_control(text) == shown


def test_some_characters_are_kept() -> None:
    assert escape_control("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"
