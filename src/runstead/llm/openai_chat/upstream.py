"""The settings of one model server, as the configuration file spells them."""

import os
from collections.abc import Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct, field

from runstead.wire.error import RunsteadError

__all__ = ["MaxTokensField", "Upstream"]

MaxTokensField: TypeAlias = Literal["max_tokens", "max_completion_tokens", "both"]


class Upstream(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server with a chat completions API."""

    url: str
    """The base URL of the API, such as `http://127.0.0.1:8000/v1`."""
    name: str = "upstream"
    """The name in logs and errors."""
    key: str | None = None
    key_env: str | None = None
    """The environment variable with the key, instead of `key`."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every request."""
    models: tuple[str, ...] = ("*",)
    """Patterns of the model names that are sent to this server."""
    window: int | None = None
    """The context window of its models, in tokens."""
    connect_timeout: float = 5.0
    first_token_timeout: float = 120.0
    """Seconds from the request to the first byte of the answer."""
    token_timeout: float = 60.0
    """Seconds without data, once the answer has begun."""
    max_retries: int = 5
    max_tokens_field: MaxTokensField = "max_tokens"
    """The name of the token limit in a request. All servers know `max_tokens`, except the newest hosted models, which
    refuse it with an error that names the other field. A server that does not know `max_completion_tokens` ignores it,
    and its answer has no limit."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise RunsteadError(f"Upstream '{self.name}': '{self.url}' is not an http:// or https:// URL.")
        if parts.username is not None or parts.password is not None:
            raise RunsteadError(f"Upstream '{self.name}': give the key as `key` or `key_env`, not inside the url.")
        if self.key is not None and self.key_env is not None:
            raise RunsteadError(f"Upstream '{self.name}': give `key` or `key_env`, not both.")
        if not self.models:
            raise RunsteadError(f"Upstream '{self.name}': `models` is empty, so no model name would match.")
        if min(self.connect_timeout, self.first_token_timeout, self.token_timeout) <= 0:
            raise RunsteadError(f"Upstream '{self.name}': a timeout must be more than 0 seconds.")
        if self.max_retries < 0:
            raise RunsteadError(f"Upstream '{self.name}': `max_retries` must be 0 or more.")

    def __repr__(self) -> str:
        return f"Upstream(name={self.name!r}, url={self.url!r})"  # without the key, so that logs never contain it

    def secret(self, environment: Mapping[str, str] = os.environ) -> str | None:
        """The key: `key`, or the value of the variable `key_env`; None without either."""
        if self.key_env is None:
            return self.key
        secret = environment.get(self.key_env)
        if not secret:
            raise RunsteadError(f"Upstream '{self.name}': the environment variable {self.key_env} is not set.")
        return secret
