"""The credentials in the headers of a request."""

from collections.abc import Mapping

from runstead.domain.access import Credentials

__all__ = ["credentials_of"]

_NONE = Credentials()


def credentials_of(headers: Mapping[bytes, bytes], addressed: str | None = None) -> Credentials:
    """The key in `Authorization: Bearer …`, else in `api-key`. The project in the path, else in `OpenAI-Project`."""
    key, project = headers.get(b"authorization"), headers.get(b"openai-project")
    if key is not None:
        key = key[7:] if key[:7].lower() == b"bearer " else None
    if not key:
        key = headers.get(b"api-key")
    if key is None and project is None and addressed is None:
        return _NONE
    return Credentials(_text(key), addressed or _text(project))


def _text(value: bytes | None) -> str | None:
    return value.decode("latin-1").strip() or None if value else None
