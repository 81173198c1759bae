"""Control characters in text of other programs, escaped before the text is shown.

A terminal obeys control characters: ESC sequences recolour it, retitle it, or type into it. Model servers, clients and
stored rows may contain any.
"""

__all__ = ["escape_control"]


def escape_control(text: str, keep: str = "") -> str:
    """The text with every character that is not printable, and not in `keep`, as an escape sequence of Python."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else ascii(each)[1:-1] for each in text)
