"""Where the adapters are chosen, and nowhere else: a configuration becomes a running engine."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from runstead.broker.inprocess import InProcessBroker
from runstead.config import Config
from runstead.engine.ports import Ports, SystemClock
from runstead.llm.port import ChatModel
from runstead.llm.router import Router
from runstead.llm.upstream import Upstream
from runstead.store.sqlite import SqliteStore
from runstead.wire.error import RunsteadError
from runstead.worker.application import Application, run

__all__ = ["application", "embedded", "model_of"]

DATABASE = "runstead.db"


@asynccontextmanager
async def application(config: Config) -> AsyncIterator[Application]:
    """The engine that a configuration describes, running."""
    folder = Path(config.data)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RunsteadError(f"Cannot make the data folder {folder}: {error.strerror}") from error
    store = SqliteStore(folder / DATABASE)
    async with run(_ports(store, model_of(config), config.run_lifetime), most=config.most_runs) as running:
        yield running


@asynccontextmanager
async def embedded(path: str | Path, model: ChatModel, lifetime: int) -> AsyncIterator[Application]:
    """The engine inside a program, over one file."""
    async with run(_ports(SqliteStore(path), model, lifetime)) as running:
        yield running


def model_of(config: Config) -> ChatModel:
    """The models that a configuration names: a script, servers, or else the embedded model."""
    if config.script is not None:
        from runstead.llm.script_file import load_scripted_model

        return load_scripted_model(Path(config.script))
    upstreams = [_upstream(number, table) for number, table in enumerate(config.upstream, 1)]
    if config.model_url is not None:
        upstreams.append(Upstream(name="model", url=config.model_url, key=config.model_key))
    elif config.model_key is not None and not upstreams:
        raise RunsteadError("There is a model_key, but no model_url that it is for.")
    models: Sequence[ChatModel] = [_server(upstream) for upstream in upstreams] or [_local(config)]
    return Router(models, aliases=config.aliases)


def _server(upstream: Upstream) -> ChatModel:
    try:
        from runstead.llm.openai_chat import OpenAIChat  # its library takes longest of all to load
    except ModuleNotFoundError as error:
        raise RunsteadError(
            f"To ask a model server, {error.name} must be installed: pip install 'runstead[server]'"
        ) from error
    return OpenAIChat(upstream)


def _local(config: Config) -> ChatModel:
    from runstead.llm.local.model import LocalModel  # a native library that only this choice needs

    return LocalModel(Path(config.model_path) if config.model_path else None)


def _upstream(number: int, table: dict[str, Any]) -> Upstream:
    try:
        return msgspec.convert(table, Upstream)
    except msgspec.ValidationError as error:
        which = table.get("name", f"number {number}")
        raise RunsteadError(f"Configuration of [[upstream]] {which}: {error}".replace("`$.", "`")) from error


def _ports(store: SqliteStore, model: ChatModel, lifetime: int) -> Ports:
    return Ports(store=store, broker=InProcessBroker(), model=model, clock=SystemClock(), lifetime=lifetime)
