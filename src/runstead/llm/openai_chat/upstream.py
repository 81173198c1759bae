"""The settings of one server of models, as the configuration spells them."""

import os
from collections.abc import Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct, field

from runstead.wire.error import RunsteadError

__all__ = ["MaxTokensField", "Upstream"]

MaxTokensField: TypeAlias = Literal["max_tokens", "max_completion_tokens", "both"]


class Upstream(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server that speaks chat completions."""

    url: str
    """Where the API begins, such as `http://127.0.0.1:8000/v1`."""
    name: str = "upstream"
    """For logs and errors."""
    key: str | None = None
    key_env: str | None = None
    """The environment variable that holds the key, instead of `key`."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every request."""
    models: tuple[str, ...] = ("*",)
    """Patterns of the model names that it answers for."""
    window: int | None = None
    """How many tokens its models read and write in one call."""
    connect_timeout: float = 5.0
    first_token_timeout: float = 120.0
    """Seconds until it sends anything at all."""
    token_timeout: float = 60.0
    """Seconds of silence, once it has begun."""
    max_retries: int = 5
    max_tokens_field: MaxTokensField = "max_tokens"
    """What the server calls `max_completion_tokens`. All know `max_tokens`, but for the hosted service's newest models,
    which refuse it in words. The other way round, a server that does not know the newer name writes without end."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise RunsteadError(f"Upstream '{self.name}': '{self.url}' is no http:// or https:// address.")
        if parts.username is not None or parts.password is not None:
            raise RunsteadError(f"Upstream '{self.name}': give the key as `key` or `key_env`, not inside the url.")
        if self.key is not None and self.key_env is not None:
            raise RunsteadError(f"Upstream '{self.name}': give `key` or `key_env`, not both.")
        if not self.models:
            raise RunsteadError(f"Upstream '{self.name}': `models` is empty, so it would never be asked.")
        if min(self.connect_timeout, self.first_token_timeout, self.token_timeout) <= 0:
            raise RunsteadError(f"Upstream '{self.name}': a time-out must be more than 0 seconds.")
        if self.max_retries < 0:
            raise RunsteadError(f"Upstream '{self.name}': `max_retries` must be 0 or more.")

    def __repr__(self) -> str:
        return f"Upstream(name={self.name!r}, url={self.url!r})"  # keys stay out of logs

    def secret(self, environment: Mapping[str, str] = os.environ) -> str | None:
        """The key, from wherever it is kept."""
        if self.key_env is None:
            return self.key
        secret = environment.get(self.key_env)
        if not secret:
            raise RunsteadError(f"Upstream '{self.name}': the environment variable {self.key_env} is not set.")
        return secret
