"""Where the database is: a URL whose password is never shown."""

from contextlib import suppress
from urllib.parse import SplitResult, unquote, urlsplit

from runstead.wire.error import RunsteadError

__all__ = ["Address"]

_SCHEMES = ("postgresql", "postgres")
_HIDDEN = "…"


class Address:
    """A database's URL. As text it is the server and the database: no user, no password, no options."""

    def __init__(self, url: str) -> None:
        parts = _split(url)
        self.url = url
        self._text = f"{_SCHEMES[0]}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
        password = parts.password or ""
        self._secrets = {secret for secret in (password, unquote(password)) if secret}

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Address({self._text!r})"

    def clean(self, text: object) -> str:
        """Somebody else's words, without the password."""
        words = str(text)
        for secret in self._secrets:
            words = words.replace(secret, _HIDDEN)
        return words


def _split(url: str) -> SplitResult:
    """The parts of a URL. What is wrong with it is said without quoting it: any part of it may be a password."""
    parts = None
    with suppress(ValueError):
        parts = urlsplit(url)
        _ = parts.port  # a number, or an error
    if parts is None or parts.scheme not in _SCHEMES:
        raise RunsteadError("a PostgreSQL database is given as postgresql://user:password@host:port/database")
    if parts.fragment or "@" in parts.path + parts.query:
        raise RunsteadError("the database's URL cannot be read: write special characters of the password as %XX")
    if "password" in parts.query:
        raise RunsteadError("the password of the database's URL goes before the host, not among the options")
    return parts
