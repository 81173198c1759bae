"""The engine inside a program: `open` and `open_async` give a client whose calls need no server."""

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


def open(
    path: str | PathLike[str],
    *,
    model: "ChatModel | None" = None,
    model_url: str | None = None,
    model_preset: str | None = None,
    model_key: str | None = None,
    aliases: Mapping[str, str] | None = None,
    run_lifetime: int = 600,
    allow_private_webhooks: bool = False,
) -> "Client":
    """Open the engine over the file at `path`, which is created if it is missing.

    Unfinished runs of an earlier program continue. Only one program at a time can have a file open; another gets
    `RunsteadError`. Models are called at `model_url`, any server of chat completions, or at that of `model_preset`,
    such as `openai`, with `model_key`. Instead, `model` can be a model of `runstead.llm`. Without any of them the
    embedded model is used, which is for trying out. `aliases` maps model names to others. A run expires `run_lifetime`
    seconds after its creation. Webhooks may have addresses of this machine or of a private network if
    `allow_private_webhooks`.

    Use the client with `with`, or `close` it.
    """
    from runstead import bootstrap
    from runstead.client import Client
    from runstead.domain.access import Credentials
    from runstead.embedded.thread import EngineThread
    from runstead.embedded.transport_sync import EngineTransport

    chosen = model or bootstrap.model_of(_config(model_url, model_preset, model_key, aliases))
    application = bootstrap.embedded(Path(path), chosen, run_lifetime, allow_private_webhooks=allow_private_webhooks)
    engine = EngineThread(application)
    return Client(EngineTransport(engine, engine.wait(engine.application.enter(Credentials()))))


@asynccontextmanager
async def open_async(
    path: str | PathLike[str],
    *,
    model: "ChatModel | None" = None,
    model_url: str | None = None,
    model_preset: str | None = None,
    model_key: str | None = None,
    aliases: Mapping[str, str] | None = None,
    run_lifetime: int = 600,
    allow_private_webhooks: bool = False,
) -> AsyncIterator["AsyncClient"]:
    """As `open`, on the caller's event loop: `async with runstead.open_async("runs.db") as rs`."""
    from runstead import bootstrap
    from runstead.client import AsyncClient
    from runstead.domain.access import Credentials
    from runstead.embedded.transport_async import AsyncEngineTransport

    chosen = model or bootstrap.model_of(_config(model_url, model_preset, model_key, aliases))
    async with (
        bootstrap.embedded(
            Path(path), chosen, run_lifetime, allow_private_webhooks=allow_private_webhooks
        ) as application,
        AsyncClient(AsyncEngineTransport(await application.enter(Credentials()))) as client,
    ):
        yield client


def _config(
    model_url: str | None, model_preset: str | None, model_key: str | None, aliases: Mapping[str, str] | None
) -> "Config":
    from runstead.config import Config

    return Config(model_url=model_url, model_preset=model_preset, model_key=model_key, aliases=dict(aliases or {}))
