"""The engine inside a program: `open`, `open_async`, and what carries a client's calls when there is no server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runstead.client import AsyncClient, Client
    from runstead.config import Config
    from runstead.llm.port import ChatModel

__all__ = ["open", "open_async"]

_PROJECT = "default"


def open(
    path: str | PathLike[str],
    *,
    model: "ChatModel | None" = None,
    model_url: str | None = None,
    model_key: str | None = None,
    aliases: Mapping[str, str] | None = None,
    run_lifetime: int = 600,
    allow_private_webhooks: bool = False,
) -> "Client":
    """The engine over the file at `path`, made if missing; without a server, as SQLite is without one.

    Runs that an earlier program left go on by themselves. One program at a time may have a file open; another gets
    `RunsteadError`. Models are asked at `model_url`, any server of chat completions, with `model_key`; or `model`
    answers, one of `runstead.llm`; without either the embedded model does, for trying out. `aliases` are model names
    that stand for others. A run expires `run_lifetime` seconds after its creation. Webhooks may be on this machine or
    in a private network if `allow_private_webhooks`.

    Use it with `with`, or `close` it.
    """
    from runstead import bootstrap
    from runstead.client import Client
    from runstead.embedded.thread import EngineThread
    from runstead.embedded.transport_sync import EngineTransport

    chosen = model or bootstrap.model_of(_config(model_url, model_key, aliases))
    application = bootstrap.embedded(Path(path), chosen, run_lifetime, allow_private_webhooks=allow_private_webhooks)
    return Client(EngineTransport(EngineThread(application), _PROJECT))


@asynccontextmanager
async def open_async(
    path: str | PathLike[str],
    *,
    model: "ChatModel | None" = None,
    model_url: str | None = None,
    model_key: str | None = None,
    aliases: Mapping[str, str] | None = None,
    run_lifetime: int = 600,
    allow_private_webhooks: bool = False,
) -> AsyncIterator["AsyncClient"]:
    """As `open`, on the event loop of the caller: `async with runstead.open_async("runs.db") as rs`."""
    from runstead import bootstrap
    from runstead.client import AsyncClient
    from runstead.embedded.transport_async import AsyncEngineTransport

    chosen = model or bootstrap.model_of(_config(model_url, model_key, aliases))
    async with (
        bootstrap.embedded(
            Path(path), chosen, run_lifetime, allow_private_webhooks=allow_private_webhooks
        ) as application,
        AsyncClient(AsyncEngineTransport(application.project(_PROJECT))) as client,
    ):
        yield client


def _config(model_url: str | None, model_key: str | None, aliases: Mapping[str, str] | None) -> "Config":
    from runstead.config import Config

    return Config(model_url=model_url, model_key=model_key, aliases=dict(aliases or {}))
