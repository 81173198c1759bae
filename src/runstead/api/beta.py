"""The rule of the beta header, as the original had it."""

from collections.abc import Iterable

from runstead.wire.error import BadRequest

__all__ = ["require_beta"]

_MISSING = (
    "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
    "Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
)
_OLD = "The v1 Assistants API has been deprecated. Please try again by setting the header 'OpenAI-Beta: assistants=v2'."


def require_beta(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """`BadRequest` unless one of the headers says that version 2 is meant."""
    named = {part.strip() for name, value in headers if name == b"openai-beta" for part in value.split(b",")}
    if b"assistants=v2" not in named:
        raise BadRequest(_OLD if b"assistants=v1" in named else _MISSING, code="invalid_beta")
