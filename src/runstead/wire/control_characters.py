"""Control characters in text of other programs, escaped before the text is shown.

A terminal obeys control characters: ESC sequences recolour it, retitle it, or type into it. Line separators and
bidirectional overrides make a line look like another one. Text of models, servers, clients and rows may contain any.
"""

import re

__all__ = ["escape_control"]

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 and C1, bidirectional marks and overrides, line separators, and surrogates, which have no encoding."""


def escape_control(text: str, keep: str = "") -> str:
    """The text with its control characters, except those in `keep`, as escape sequences of Python."""
    if text.isprintable():
        return text
    return _CONTROL.sub(lambda found: found[0] if found[0] in keep else repr(found[0])[1:-1], text)
