"""The client over a real socket: answers, models, settings, and closing."""

import asyncio
from typing import Any

import pytest

from runstead.domain.model_call import Finish, TextPiece, UsagePiece
from runstead.llm.openai_chat.client import OpenAIChat
from runstead.llm.openai_chat.upstream import Upstream
from runstead.wire.error import Closed, RunsteadError
from runstead.wire.run import Usage
from tests.llm.fake_upstream import Answer, Exchange, chunk, fake_upstream, plain, refused, sse, stream, text
from tests.llm.openai_chat.client import KEY, REQUEST, Waits, ask, cut_at_once, failure, said, world
from tests.support.waiting import until


async def test_an_answer_is_streamed_up_to_its_usage() -> None:
    async with world(text("Hello", " world")) as (model, upstream, _):
        pieces = await ask(model)
    assert said(pieces) == "Hello world"
    assert pieces[-2:] == [
        Finish("stop"),
        UsagePiece(Usage(prompt_tokens=7, completion_tokens=2, total_tokens=9)),
    ]
    sent = upstream.exchanges[0]
    assert (sent.method, sent.path) == ("POST", "/v1/chat/completions")
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["x-client-request-id"] == "run_1"
    assert sent.json == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_each_read_is_yielded_at_once_as_one_batch() -> None:
    received = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "a"}), chunk({"content": "b"})))
        await received.wait()
        await exchange.piece(sse(chunk({"content": "c"}, "stop")) + b"data: [DONE]\n\n")
        await exchange.end()

    async with world(answer) as (model, _, _), asyncio.timeout(20), model.reply(REQUEST) as batches:
        assert await anext(batches) == [TextPiece("ab")]
        received.set()
        assert await anext(batches) == [TextPiece("c"), Finish("stop")]
        assert [batch async for batch in batches] == []


async def test_a_connection_is_reused() -> None:
    async with world(text("a")) as (model, upstream, _):
        for _ in range(3):
            await ask(model)
    assert (len(upstream.exchanges), upstream.connections) == (3, 1)


async def test_300_calls_run_concurrently() -> None:
    together = asyncio.Barrier(300)

    async def answer(exchange: Exchange) -> None:
        await together.wait()
        await text("a")(exchange)

    async with world(answer) as (model, _, _), asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(model)) for _ in range(300)]
        assert {said(await task) for task in tasks} == {"a"}


async def test_a_server_that_does_not_stream_is_supported() -> None:
    async with world(plain({"choices": [{"message": {"content": "Hello"}, "finish_reason": "length"}]})) as (
        model,
        _,
        _,
    ):
        assert await ask(model) == [TextPiece("Hello"), Finish("length")]


async def test_a_long_answer_is_complete() -> None:
    words = [f" word{number}" for number in range(20_000)]
    async with world(text(*words)) as (model, _, _):
        assert said(await ask(model)) == "".join(words)


@pytest.mark.parametrize("batches_read", [0, 1])
async def test_cancelling_closes_the_connection_at_once(batches_read: int) -> None:
    loop = asyncio.get_running_loop()
    asked, left = asyncio.Event(), loop.create_future()

    async def answer(exchange: Exchange) -> None:
        asked.set()
        if batches_read:
            await exchange.begin()
            await exchange.piece(sse(chunk({"content": "Hello"})))
        await exchange.left()
        left.set_result(loop.time())

    read = asyncio.Event()

    async def call(model: OpenAIChat) -> None:
        async with model.reply(REQUEST) as batches:
            async for _ in batches:
                read.set()

    async with world(answer) as (model, _, _), asyncio.timeout(20):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(call(model))
            await (read if batches_read else asked).wait()
            cancelled = loop.time()
            task.cancel()
        assert await left - cancelled < 0.1


async def test_leaving_the_context_between_batches_closes_the_connection() -> None:
    left = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "Hello"})))
        await exchange.left()
        left.set()

    async with world(answer) as (model, _, _), asyncio.timeout(20):
        async with model.reply(REQUEST) as batches:
            await anext(batches)
        await left.wait()


async def test_a_server_that_keeps_the_connection_open_after_done_delays_nothing() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "Hello"}, "stop")) + b"data: [DONE]\n\n")
        await exchange.left()

    async with world(answer) as (model, _, _):
        async with asyncio.timeout(5):
            assert said(await ask(model)) == "Hello"


async def test_bytes_received_before_a_cut_are_read() -> None:
    began, cut = asyncio.Event(), asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "Hello"})))
        await began.wait()
        await exchange.piece(sse(chunk({"content": " you"}), chunk({}, "stop")))
        exchange.cut()
        cut.set()

    async with world(answer) as (model, _, _), asyncio.timeout(20), model.reply(REQUEST) as batches:
        first = await anext(batches)
        began.set()
        await cut.wait()
        connector = model._session.connector
        assert connector is not None
        [connection] = connector._acquired
        await until(lambda: not connection.is_connected())
        rest = [piece for batch in [batch async for batch in batches] for piece in batch]
    assert [*first, *rest] == [TextPiece("Hello"), TextPiece(" you"), Finish("stop")]


async def test_models_are_listed() -> None:
    listed = {"data": [{"id": "a", "created": 5, "owned_by": "me"}, {"id": "b", "created": None}]}
    async with world(plain(listed)) as (model, upstream, _):
        models = await model.models()
    assert [(each.id, each.created, each.owned_by) for each in models] == [("a", 5, "me"), ("b", 0, "upstream")]
    assert (upstream.exchanges[0].method, upstream.exchanges[0].path) == ("GET", "/v1/models")


@pytest.mark.parametrize("answer", [refused(500, {}), plain([]), refused(200, b"<html>"), cut_at_once])
async def test_a_failed_model_list_is_empty_and_logged(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    async with world(answer) as (model, _, _):
        assert await model.models() == []
    assert "Cannot list the models: the model server 'main'" in caplog.text


@pytest.mark.parametrize("tail", ["", "/", "/chat/completions"])
async def test_the_url_can_end_in_several_ways(tail: str) -> None:
    async with fake_upstream(text("a")) as upstream:
        model = OpenAIChat(Upstream(url=f"{upstream.url}{tail}?api-version=1"))
        await model.start()
        await ask(model)
        await model.stop()
    assert upstream.exchanges[0].path == "/v1/chat/completions?api-version=1"


async def test_names_that_match_the_patterns_are_supported() -> None:
    model = OpenAIChat(Upstream(url="http://127.0.0.1:1", models=("qwen*", "gpt-4o"), window=100))
    assert [model.supports(name) for name in ("qwen3", "gpt-4o", "gpt-4o-mini")] == [True, True, False]
    assert (model.window("qwen3"), model.window("other")) == (100, None)


async def test_a_call_after_stop_raises_closed() -> None:
    async with world(text("a")) as (model, _, _):
        pass
    with pytest.raises(Closed):
        await ask(model)


async def test_a_tls_failure_is_not_retried() -> None:
    async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(no_tls, "127.0.0.1", 0)
    model = OpenAIChat(
        Upstream(url=f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"), sleep=(waits := Waits())
    )
    await model.start()
    async with server:
        error = await failure(model)
    await model.stop()
    assert "cannot be reached" in error.message
    assert waits.all == []


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "127.0.0.1:8000"},
        {"url": "http://[::1/v1"},
        {"url": "http://127.0.0.1:many/v1"},
        {"url": "http://me:pass@127.0.0.1"},
        {"key": "a", "key_env": "B"},
        {"models": ()},
        {"token_timeout": 0},
        {"max_retries": -1},
    ],
)
def test_invalid_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(RunsteadError, match="Upstream 'main': "):
        Upstream(**{"url": "http://127.0.0.1", "name": "main", **settings})


def test_the_key_can_be_in_an_environment_variable() -> None:
    upstream = Upstream(url="http://127.0.0.1", key_env="MODEL_KEY")
    assert upstream.secret({"MODEL_KEY": KEY}) == KEY
    with pytest.raises(RunsteadError, match="MODEL_KEY is not set"):
        upstream.secret({})


OPENED = [
    (("Hm, let", " me see.</th", "ink>", "\n\nHi"), "Hi"),
    (("Hm.</think>Hi",), "Hi"),
    (("Without a tag, ", "it is text."), "Without a tag, it is text."),
    (("<think>Hm.</think>Hi",), "Hi"),
]


@pytest.mark.parametrize(("texts", "right"), OPENED)
async def test_thinking_that_the_template_opens_ends_with_its_tag(texts: tuple[str, ...], right: str) -> None:
    answer = stream(*(chunk({"content": each}) for each in texts), chunk({}, "stop"))
    async with world(answer, opens_thinking=True) as (model, _, _):
        pieces = await ask(model)
    assert said(pieces) == right
