"""Which adapters a configuration chooses."""

import asyncio
import logging
import stat
from pathlib import Path
from typing import Any

import pytest

from runstead import RunsteadError, bootstrap
from runstead.config import Config
from runstead.domain.model_call import ModelRequest, TextPiece
from runstead.llm.port import ChatModel, ModelError
from runstead.store.port import Limits
from runstead.store.postgres import PostgresStore
from runstead.wire.assistant import AssistantRequest
from runstead.wire.embedding import EmbeddingRequest
from runstead.wire.message import MessageRequest
from runstead.wire.run import ThreadRunRequest
from runstead.wire.thread import ThreadRequest
from runstead.worker.application import Application
from tests.llm.fake_upstream import Exchange, chunk, fake_upstream, plain, sse
from tests.retrieval.embeddings.embedding_server import serving
from tests.support.callers import entered
from tests.support.cluster import nats_server
from tests.support.postgres import place, server
from tests.support.waiting import until, within


def listed(*names: str) -> dict[str, object]:
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


async def test_requests_go_to_the_upstream_of_their_model_and_aliases_are_resolved() -> None:
    async with fake_upstream(plain(listed("qwen3"))) as house, fake_upstream(plain(listed("other"))) as rest:
        model = bootstrap.model_of(
            Config(
                upstream=({"name": "house", "url": house.url, "models": ["qwen*"], "window": 100},),
                model_url=rest.url,
                model_key="sk-1",
                aliases={"gpt-4o": "qwen3"},
            )
        )
        await model.start()
        try:
            assert [each.id for each in await model.models()] == ["gpt-4o", "qwen3", "other"]
            assert model.window("gpt-4o") == 100
        finally:
            await model.stop()
        assert "authorization" not in house.exchanges[0].headers
        assert rest.exchanges[0].headers["authorization"] == "Bearer sk-1"


async def embedded_by(config: Config) -> str:
    """The model that embeds a text for a configuration."""
    async with bootstrap.application(config) as application:
        made = await (await entered(application)).project.embeddings(EmbeddingRequest(model="m", input="text"))
    return made.model


async def test_texts_are_embedded_by_the_configured_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_KEY", "sk-house")
    here: dict[str, Any] = {"data": str(tmp_path / "data")}
    async with serving() as server:
        table = {"url": server.url, "model": "words", "key_env": "HOUSE_KEY", "headers": {"x-a": "b"}}
        assert await embedded_by(Config(embeddings=table, **here)) == "words"
        flat = Config(embeddings_url=server.url, embeddings_model="flat", embeddings_key="sk-flat", **here)
        assert await embedded_by(flat) == "flat"
        keys = [headers.get("Authorization") for headers in server.headers]
        assert keys == ["Bearer sk-house"] * 2 + ["Bearer sk-flat"] * 2  # the first request asks for the dimension
        assert await embedded_by(Config(embeddings=table, embeddings_model="other", **here)) == "other"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"embeddings_url": "http://127.0.0.1:1/v1"}, r"\[embeddings\]: Object missing required field `model`"),
        ({"embeddings": {"model": "m", "key": "k"}}, "Embeddings 'embeddings': give `url` or `preset`"),
        ({"embeddings": {"model": "m", "url": "http://x", "nope": 1}}, r"\[embeddings\]: .*nope"),
    ],
)
async def test_settings_of_embeddings_that_do_not_fit_are_refused(
    settings: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(RunsteadError, match=words):
        async with bootstrap.application(Config(data=str(tmp_path / "data"), **settings)):
            pass


async def test_the_answers_of_all_upstreams_have_one_limit() -> None:
    half = sse(*[chunk({"content": "x" * 2**16})] * 28)

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(half)
        await exchange.left()

    async def read(model: ChatModel, name: str, length: int = 0) -> None:
        async with model.reply(ModelRequest(model=name, messages=[])) as batches:
            async for batch in batches:
                length += sum(len(piece.text) for piece in batch if isinstance(piece, TextPiece))
                if length == 28 * 2**16:
                    read_by.append(name)

    read_by = list[str]()
    async with fake_upstream(answer) as server:
        tables = ({"url": server.url, "models": [name]} for name in ("a", "b", "c"))
        model = bootstrap.model_of(Config(upstream=tuple(tables), answers_limit=4 * 2**20))
        await model.start()
        try:
            async with within(), asyncio.TaskGroup() as group:
                readers = [group.create_task(read(model, name)) for name in ("a", "b")]
                await until(lambda: sorted(read_by) == ["a", "b"])
                with pytest.raises(ModelError, match="4194304 characters") as refused:
                    await read(model, "c")
                for reader in readers:
                    reader.cancel()
        finally:
            await model.stop()
        assert refused.value.rate_limited
        assert len(server.exchanges) == 2


async def test_without_a_server_the_embedded_model_answers() -> None:
    model = bootstrap.model_of(Config())
    assert [each.id for each in await model.models()] == ["SmolLM2-135M-Instruct"]


async def test_a_script_replaces_every_model(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text('[[answer]]\nsay = "Hi"\n')
    model = bootstrap.model_of(Config(script=str(script), model_url="http://127.0.0.1:1/v1"))
    assert [each.id for each in await model.models()] == ["scripted"]


def test_a_preset_needs_no_url() -> None:
    model = bootstrap.model_of(Config(model_preset="openai", model_key="sk-1"))
    assert model.supports("anything")
    with pytest.raises(RunsteadError, match="the preset 'azure' needs a `url`"):
        bootstrap.model_of(Config(model_preset="azure", model_key="sk-1"))


def test_a_model_key_without_a_model_url_is_refused() -> None:
    with pytest.raises(RunsteadError, match="model_url is not"):
        bootstrap.model_of(Config(model_key="sk-1"))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"url": "http://127.0.0.1:1/v1", "ky": "a"}, "[[upstream]] number 1: Object contains unknown field `ky`"),
        ({"name": "house"}, "Upstream 'house': give `url` or `preset`."),
        (
            {"name": "house", "url": "http://127.0.0.1:1/v1", "key": 5},
            "house: Expected `str | null`, got `int` - at `key`",
        ),
    ],
)
def test_an_invalid_upstream_is_named(table: dict[str, object], words: str) -> None:
    with pytest.raises(RunsteadError) as wrong:
        bootstrap.model_of(Config(upstream=(table,)))
    assert words in str(wrong.value)


async def test_only_the_owner_can_read_the_data_folder(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text("")
    config = Config(data=str(tmp_path / "a" / "b"), script=str(script))
    for _ in range(2):
        async with bootstrap.application(config) as application:
            assert application.ready
            await (await entered(application)).project.create_assistant(AssistantRequest(model="any"))
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert (tmp_path / "a" / "b" / "runstead.db").is_file()


SCRIPT = '[[answer]]\nsay = "The end."\n'


@pytest.fixture
def scripted(tmp_path: Path) -> dict[str, Any]:
    """Settings of a process whose model follows a script."""
    (tmp_path / "script.toml").write_text(SCRIPT)
    return {"script": str(tmp_path / "script.toml"), "data": str(tmp_path / "data"), "installation": place(tmp_path)}


async def complete_a_run(application: Application) -> None:
    """Create a run, and wait until it is completed."""
    project = (await entered(application)).project
    assistant = await project.create_assistant(AssistantRequest(model="any"))
    thread = ThreadRequest(messages=[MessageRequest(role="user", content="Hi")])
    run = await project.create_thread_run(ThreadRunRequest(assistant_id=assistant.id, thread=thread))
    async with within():
        events = [event async for event in project.run_events(run.thread_id, run.id)]
    assert events[-1].event == "thread.run.completed"


@pytest.mark.parametrize("nats", [False, True], ids=["in process", "nats"])
@pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgres"])
async def test_a_run_completes_over_every_pair_of_store_and_broker(
    nats: bool, postgres: bool, scripted: dict[str, Any]
) -> None:
    database = server().url if postgres else None
    broker = nats_server().url if nats else None
    async with bootstrap.application(Config(**scripted, database=database, broker=broker)) as application:
        await complete_a_run(application)
    assert (Path(scripted["data"]) / "runstead.db").exists() is not postgres


async def test_the_api_and_the_worker_may_be_two_processes(scripted: dict[str, Any]) -> None:
    engines = scripted | {"database": server().url, "broker": nats_server().url}
    async with (
        bootstrap.application(Config(**engines, roles=("worker",))),
        bootstrap.application(Config(**engines, roles=("api",))) as application,
    ):
        await complete_a_run(application)


async def test_two_processes_without_a_broker_log_a_warning(
    scripted: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    engines = scripted | {"database": server().url}
    async with (
        bootstrap.application(Config(**engines, roles=("worker",))),
        bootstrap.application(Config(**engines, roles=("api",))) as application,
    ):
        await complete_a_run(application)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert (
        warnings
        == [
            "files are stored on this machine alone: with several machines, set `blobs`",
            "no broker is configured: each process polls the database once a second",
        ]
        * 2
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"roles": ("api",)},
            "which needs the roles api and worker, not api alone.",
        ),
        ({"roles": ("worker",)}, "needs the roles api and worker, not worker alone. .* --database postgresql://"),
        ({"database": "mysql://me:s3cret@127.0.0.1/runs"}, "the database's URL must be postgresql://"),
        ({"database": "runs.db"}, "the database's URL must be postgresql://"),
        (
            {"broker": "amqp://me:s3cret@127.0.0.1"},
            "The broker URL is not valid: The URL of NATS is of the form nats://host",
        ),
        ({"broker": "nats://me:s3cret@127.0.0.1:port"}, "The broker URL is not valid: The URL of NATS"),
    ],
)
async def test_invalid_adapters_are_refused_without_showing_secrets(
    settings: dict[str, Any], words: str, scripted: dict[str, Any]
) -> None:
    with pytest.raises(RunsteadError, match=words) as refused:
        async with bootstrap.application(Config(**scripted | settings)):
            pass
    assert "s3cret" not in str(refused.value)


async def test_an_unreachable_database_is_named_without_its_password(
    scripted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PostgresStore.__init__.__kwdefaults__ or {}, "patience", 0.1)
    settings = scripted | {"database": "postgresql://me:s3cret@127.0.0.1:1/runs"}
    with pytest.raises(RunsteadError, match="cannot open postgresql://127.0.0.1:1/runs") as refused:
        async with bootstrap.application(Config(**settings)):
            pass
    assert "s3cret" not in str(refused.value)


async def test_runs_complete_while_the_broker_is_unreachable(scripted: dict[str, Any]) -> None:
    async with bootstrap.application(Config(**scripted, broker="nats://127.0.0.1:1")) as application:
        await complete_a_run(application)


async def test_secrets_are_not_logged(scripted: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    user = nats_server().url.replace("nats://", "nats://me:s3cret@")
    async with bootstrap.application(Config(**scripted, database=server().url, broker=user)) as application:
        await complete_a_run(application)
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert "postgresql://" in logged
    assert "s3cret" not in logged


async def test_a_limit_of_zero_means_no_limit(scripted: dict[str, Any]) -> None:
    for given in (0, 7):
        config = Config(**scripted, project_runs=given, project_queue=given, project_file_bytes=given)
        held = Limits(max_running=given or None, max_queued=given or None, max_file_bytes=given or None)
        async with bootstrap.application(config) as application:
            assert application._adapters.limits.of_project == held


@pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgres"])
async def test_a_database_is_migrated_without_starting_an_engine(postgres: bool, scripted: dict[str, Any]) -> None:
    config = Config(**scripted, database=server().url if postgres else None)
    missing = await bootstrap.migrate(config, check=True)
    assert missing[:2] == ["0001_initial", "0002_lines"]
    assert not Path(scripted["data"]).exists()
    assert await bootstrap.migrate(config) == missing
    assert await bootstrap.migrate(config) == await bootstrap.migrate(config, check=True) == []
    async with bootstrap.application(config) as application:
        await complete_a_run(application)


@pytest.mark.parametrize(("mode", "warnings"), [(0o700, 0), (0o755, 1), (0o710, 1)])
async def test_a_data_folder_that_others_can_enter_is_a_warning(
    mode: int, warnings: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    async with bootstrap.application(Config(data=str(folder), model_url="http://127.0.0.1:9")):
        pass
    found = [record for record in caplog.records if "can enter the data folder" in record.message]
    assert [record.__dict__["mode"] for record in found] == [f"{mode:o}"] * warnings
