"""The settings of one model server, as the configuration file spells them."""

import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct, field
from msgspec.structs import force_setattr

from runstead.llm.openai_chat.fields import Fields, check_fields
from runstead.llm.openai_chat.masking import secrets_in
from runstead.llm.openai_chat.preset import PRESETS, Preset, preset_of
from runstead.wire.error import RunsteadError

__all__ = ["Upstream"]


class Upstream(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server with a chat completions API."""

    url: str | None = None
    """The base URL of the API, such as `http://127.0.0.1:8000/v1`; the preset's if absent."""
    preset: str | None = None
    """The kind of server, by its name in `PRESETS`; found by the URL if absent."""
    name: str = ""
    """The name in logs and errors; the preset's if absent, or else `upstream`."""
    key: str | None = None
    key_env: str | None = None
    """The environment variable with the key, instead of `key`; the preset's if both are absent."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every request."""
    models: tuple[str, ...] = ("*",)
    """Patterns of the model names that are sent to this server."""
    window: int | None = None
    """The context window of its models, in tokens."""
    connect_timeout: float = 5.0
    first_token_timeout: float = 120.0
    """Seconds from the request to the first part of the answer. Comments of the stream are no part of it."""
    token_timeout: float = 60.0
    """Seconds without data, once the answer has begun."""
    max_retries: int = 5
    opens_thinking: bool = False
    """The template of its models writes the first tag of the thinking, so that an answer has only `</think>`."""
    leave_out: tuple[str, ...] = ()
    """Fields of a request that are not sent, besides the preset's."""
    rename: dict[str, str] = field(default_factory=dict)
    """The server's names of fields."""
    add: dict[str, Any] = field(default_factory=dict)
    """Fields that are sent where a request does not have them."""

    def __post_init__(self) -> None:
        force_setattr(self, "name", self.name or self.preset or "upstream")
        if self.preset is not None and self.preset not in PRESETS:
            raise self._error(f"there is no preset '{self.preset}' (there are: {', '.join(PRESETS)}).")
        if self.url is not None:
            self._check_url(self.url)
        elif self.server.url is None:
            missing = "give `url` or `preset`" if self.preset is None else f"the preset '{self.preset}' needs a `url`"
            raise self._error(f"{missing}.")
        if self.key is not None and self.key_env is not None:
            raise self._error("give `key` or `key_env`, not both.")
        if not self.models:
            raise self._error("`models` is empty, so no model name would match.")
        if min(self.connect_timeout, self.first_token_timeout, self.token_timeout) <= 0:
            raise self._error("a timeout must be more than 0 seconds.")
        if self.max_retries < 0:
            raise self._error("`max_retries` must be 0 or more.")
        try:
            check_fields(self.fields)
        except ValueError as error:
            raise self._error(str(error)) from None

    def __repr__(self) -> str:
        # Without the key and the query, so that logs never contain a secret.
        return f"Upstream(name={self.name!r}, url={self.base_url.partition('?')[0]!r})"

    @property
    def server(self) -> Preset:
        """What this kind of server wants."""
        return PRESETS[self.preset if self.preset is not None else preset_of(self.url or "")]

    @property
    def base_url(self) -> str:
        return (self.url or self.server.url or "").strip()

    @property
    def fields(self) -> Fields:
        """How the fields of a request are sent. A configured name wins over the preset's."""
        server = self.server
        renamed = {name: to for name, to in server.rename.items() if name not in self.leave_out}
        return Fields(
            leave_out=frozenset(self.leave_out) | (frozenset(server.leave_out) - self.rename.keys()),
            rename={**renamed, **self.rename},
            add=self.add,
        )

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
        return RunsteadError(f"Upstream '{self.name}': {words}")
