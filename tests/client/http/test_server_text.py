"""A server's text is shown cut, without control characters and without the secrets of the client."""

import pytest

from runstead.client.http.server_text import MAX_SHOWN, TextSanitizer, safe_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, and naïve: 日本 👩‍🚀", "plain, and naïve: 日本 👩‍🚀"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\x9b\x7f\x00", "\\x9b\\x7f\\x00"),
        ("\u202egnp.exe\u2028", "\\u202egnp.exe\\u2028"),
        ("\ud83d", "\\ud83d"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert safe_text(text) == shown


def test_a_long_text_is_cut() -> None:
    assert safe_text("x" * 10**6) == "x" * MAX_SHOWN + "…"


def test_secrets_are_replaced_the_longest_first() -> None:
    sanitize = TextSanitizer(["sk-secret", "sk-secret-and-more", "", "short"])
    assert sanitize("Bearer sk-secret-and-more, sk-secret, short") == "Bearer [secret], [secret], short"
    assert "secret" not in repr(sanitize)


def test_a_secret_across_the_cut_is_not_shown_in_part() -> None:
    assert "sk-" not in TextSanitizer(["sk-secret-key"])("x" * 95 + "sk-secret-key", 100)
