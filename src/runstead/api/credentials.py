"""What the headers of a request say about its sender."""

from collections.abc import Mapping

from runstead.domain.access import Credentials

__all__ = ["credentials_of"]

_BEARER = b"bearer "
_NONE = Credentials()


def credentials_of(headers: Mapping[bytes, bytes]) -> Credentials:
    """The key of `Authorization: Bearer …`, or else of `api-key`, and the project of `OpenAI-Project`."""
    authorization = headers.get(b"authorization", b"")
    bearer = authorization[:7].lower() == _BEARER
    key = authorization[7:].strip() if bearer else headers.get(b"api-key", b"").strip()
    project = headers.get(b"openai-project", b"").strip()
    if not key and not project:
        return _NONE
    return Credentials(_text(key), _text(project))


def _text(value: bytes) -> str | None:
    return value.decode("latin-1") or None
