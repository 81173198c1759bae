"""The server of a client: its URL, and the headers of every request."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from runstead.client.http.server_text import TextSanitizer

__all__ = ["DEFAULT_URL", "Target"]

DEFAULT_URL = "http://127.0.0.1:8642"
"""Where `runstead serve` listens by default."""

_PORTS = {"http": 80, "https": 443}

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_PUBLIC = frozenset({"accept", "content-type", "host", "openai-beta", "openai-organization", "user-agent"})
"""Headers whose values are not secret."""


class Target:
    """A server's address, and the headers of every request. Its repr hides the headers: they hold the API key."""

    def __init__(self, url: str, api_key: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            named = "" if "@" in url else f": {url!r}"  # it may hold a password
            raise ValueError(f"Invalid URL{named}. Expected one such as {DEFAULT_URL!r}.")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("The URL of a server has no user, query or fragment. Pass a key as `api_key`.")
        path = parts.path.rstrip("/")
        self.scheme = parts.scheme
        self.host = parts.hostname.encode("idna").decode()
        self.port = parts.port or _PORTS[parts.scheme]
        self.prefix = path if path.endswith("/v1") else f"{path}/v1"
        self.url = f"{parts.scheme}://{parts.netloc}{self.prefix}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.headers = _headers(host if parts.port is None else f"{host}:{parts.port}", api_key, headers or {})
        self.sanitize = TextSanitizer(_secrets(api_key, headers or {}))
        """Makes a text of this server safe to show."""

    def __repr__(self) -> str:
        return f"Target({self.url!r})"


def _headers(host: str, api_key: str | None, own: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of every request. The caller's own replace the client's."""
    defaults = {"Host": host, "User-Agent": f"runstead-python/{_version()}", "OpenAI-Beta": "assistants=v2"}
    if api_key:
        defaults["Authorization"] = f"Bearer {api_key.strip()}"
    replaced = {name.lower() for name in own}
    kept = {name: value for name, value in defaults.items() if name.lower() not in replaced}
    sent = kept | dict(own)
    if not all(
        _HEADER_NAME.fullmatch(name) and value.isascii() and value.isprintable() for name, value in sent.items()
    ):
        raise ValueError("The API key or a header has a character that is not allowed in HTTP headers.")
    return [(name.encode(), value.strip().encode()) for name, value in sent.items()]


def _secrets(api_key: str | None, own: Mapping[str, str]) -> list[str]:
    """The key and the caller's header values, whole and without a scheme such as `Bearer`."""
    values = [api_key or "", *(value for name, value in own.items() if name.lower() not in _PUBLIC)]
    return [part for value in values for part in (value.strip(), *value.split())]


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 (slow, and loaded with HTTP anyway)

    try:
        return version("runstead")
    except PackageNotFoundError:
        return "unknown"
