"""The settings of one chat completions server, as the configuration file spells them."""

from typing import Any

from msgspec import field

from runstead.llm.openai_chat.request.field_settings import Fields, check_fields
from runstead.model_server.connection import Connection

__all__ = ["Upstream"]


class Upstream(Connection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server with a chat completions API."""

    models: tuple[str, ...] = ("*",)
    """Patterns of the model names that are sent to this server."""
    window: int | None = None
    """The context window of its models, in tokens."""
    first_token_timeout: float = 120.0
    """Seconds from the request to the first part of the answer. Comments of the stream are no part of it."""
    token_timeout: float = 60.0
    """Seconds without data, once the answer has begun."""
    opens_thinking: bool = False
    """The template of its models writes the first tag of the thinking, so that an answer has only `</think>`."""
    leave_out: tuple[str, ...] = ()
    """Fields of a request that are not sent, besides the preset's."""
    rename: dict[str, str] = field(default_factory=dict)
    """The server's names of fields."""
    add: dict[str, Any] = field(default_factory=dict)
    """Fields that are sent where a request does not have them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.models:
            raise self._error("`models` is empty, so no model name would match.")
        if min(self.connect_timeout, self.first_token_timeout, self.token_timeout) <= 0:
            raise self._error("a timeout must be more than 0 seconds.")
        try:
            check_fields(self.fields)
        except ValueError as error:
            raise self._error(str(error)) from None

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
