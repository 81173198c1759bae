"""Where the database is: a URL whose password is never shown."""

import re
from urllib.parse import unquote

from runstead.wire.error import RunsteadError

__all__ = ["Address"]

_HOST = r"(\[[\da-fA-F:.]+\]|[^:,\[\]/@?#]*)(:\d+)?"
_URL = re.compile(
    rf"postgres(ql)?://([^:/@?#]*(:(?P<password>[^/@?#]*))?@)?(?P<where>{_HOST}(,{_HOST})*(/[^/@?#]*)?)"
    r"(\?(?P<options>[^@#]*))?"
)
_HIDDEN = "…"


class Address:
    """A database's URL. As text it is the server and the database: no user, no password, no options."""

    def __init__(self, url: str) -> None:
        parts = _URL.fullmatch(url)
        # Errors never quote the URL: any part of it may be the password.
        if parts is None:
            raise RunsteadError(
                "the database's URL must be postgresql://user:password@host:port/database, "
                "with special characters of the password as %XX"
            )
        if "password" in (parts["options"] or ""):
            raise RunsteadError("the password of the database's URL goes before the host, not among the options")
        self.url = url
        self._text = f"postgresql://{parts['where']}"
        password = parts["password"] or ""
        self._secrets = {secret for secret in (password, unquote(password)) if secret}

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Address({self._text!r})"

    def clean(self, text: object) -> str:
        """A text that others wrote, without the password."""
        cleaned = str(text)
        for secret in self._secrets:
            cleaned = cleaned.replace(secret, _HIDDEN)
        return cleaned
