"""The rule of the beta header, as the original had it."""

from collections.abc import Mapping

from runstead.wire.error import BadRequest

__all__ = ["require_beta"]

_MISSING = (
    "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
    "Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
)
_OLD = "The v1 Assistants API has been deprecated. Please try again by setting the header 'OpenAI-Beta: assistants=v2'."


def require_beta(headers: Mapping[bytes, bytes]) -> None:
    """`BadRequest` unless the request says that it means version 2."""
    value = headers.get(b"openai-beta", b"")
    if value == b"assistants=v2":
        return
    named = {part.strip() for part in value.split(b",")}
    if b"assistants=v2" in named:
        return
    raise BadRequest(_OLD if b"assistants=v1" in named else _MISSING, code="invalid_beta")
