"""Where a model server is and what opens it: the settings that its chat models and its embedding models share."""

import os
from collections.abc import Iterator, Mapping
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct, field
from msgspec.structs import force_setattr

from runstead.model_server.masking import secrets_in
from runstead.model_server.preset import PRESETS, Preset, preset_of
from runstead.wire.error import RunsteadError

__all__ = ["Connection"]


class Connection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The address, the key and the headers of a server. `RunsteadError` if they do not fit together."""

    setting: ClassVar[str] = "Upstream"
    """The name of this part of the configuration in errors."""

    url: str | None = None
    """The base URL of the API, such as `http://127.0.0.1:8000/v1`; the preset's if absent."""
    preset: str | None = None
    """The kind of server, by its name in `PRESETS`; found by the URL if absent."""
    name: str = ""
    """The name in logs and errors; the preset's if absent, or else that of the setting."""
    key: str | None = None
    key_env: str | None = None
    """The environment variable with the key, instead of `key`; the preset's if both are absent."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every request."""
    connect_timeout: float = 5.0
    """Seconds."""
    max_retries: int = 5

    def __post_init__(self) -> None:
        force_setattr(self, "name", self.name or self.preset or self.setting.lower())
        if self.preset is not None and self.preset not in PRESETS:
            raise self._error(f"there is no preset '{self.preset}' (there are: {', '.join(PRESETS)}).")
        if self.url is not None:
            self._check_url(self.url)
        elif self.server.url is None:
            missing = "give `url` or `preset`" if self.preset is None else f"the preset '{self.preset}' needs a `url`"
            raise self._error(f"{missing}.")
        if self.key is not None and self.key_env is not None:
            raise self._error("give `key` or `key_env`, not both.")
        if self.max_retries < 0:
            raise self._error("`max_retries` must be 0 or more.")

    def __repr__(self) -> str:
        # Without the key and the query, so that logs never contain a secret.
        return f"{type(self).__name__}(name={self.name!r}, url={self.base_url.partition('?')[0]!r})"

    @property
    def server(self) -> Preset:
        """The preset of this kind of server."""
        return PRESETS[self.preset if self.preset is not None else preset_of(self.url or "")]

    @property
    def base_url(self) -> str:
        return (self.url or self.server.url or "").strip()

    def secret(self, environment: Mapping[str, str] = os.environ) -> str | None:
        """The key: `key`, or the value of the environment variable; None if the server works without one."""
        if self.key is not None:
            return self.key
        variable = self.key_env or self.server.key_env
        if variable is None:
            return None
        secret = environment.get(variable)
        if not secret:
            raise self._error(f"the environment variable {variable} is not set.")
        return secret

    def all_headers(self, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """`headers`, and the one with the key unless `headers` has it."""
        name = self.server.key_header
        configured = {each.lower() for each in self.headers}
        if configured & {name.lower(), "authorization"} and self.key is None and self.key_env is None:
            return dict(self.headers)
        secret = self.secret(environment)
        if not secret:
            return dict(self.headers)
        others = {each: value for each, value in self.headers.items() if each.lower() != name.lower()}
        return {**others, name: f"Bearer {secret}" if name == "Authorization" else secret}

    def secrets(self, headers: Mapping[str, str]) -> Iterator[str]:
        """The values that error messages must not show: those of the headers and of the URL's query."""
        yield from secrets_in(headers.items())
        yield from secrets_in(parse_qsl(urlsplit(self.base_url).query))

    def _check_url(self, url: str) -> None:
        try:
            parts = urlsplit(url.strip())
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # brackets or a port that are none
            raise self._error(f"'{url}' is not a URL.") from None
        if not valid:
            raise self._error(f"'{url.partition('?')[0]}' is not an http:// or https:// URL.")
        if parts.username is not None or parts.password is not None:
            raise self._error("give the key as `key` or `key_env`, not inside the url.")

    def _error(self, words: str) -> RunsteadError:
        return RunsteadError(f"{self.setting} '{self.name}': {words}")
