"""Over a real socket: streams, retries, time-outs, errors in words, and leaving at once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runstead.domain.chat import Finish, ModelRequest, Piece, TextPiece, UsagePiece
from runstead.llm.openai_chat import OpenAIChat
from runstead.llm.port import ModelError
from runstead.llm.retry import Backoff
from runstead.llm.upstream import Upstream
from runstead.wire.error import Closed, RunsteadError
from runstead.wire.run import Usage
from tests.llm.fake_upstream import (
    Answer,
    Exchange,
    FakeUpstream,
    chunk,
    fake_upstream,
    plain,
    refused,
    sse,
    stream,
    text,
)

REQUEST = ModelRequest(model="m", messages=[{"role": "user", "content": "Hi"}], run_id="run_1")
KEY = "sk-secret-key-1234"


class Waits:
    """The waits that were asked for; none of them is waited."""

    def __init__(self) -> None:
        self.all: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.all.append(seconds)


@asynccontextmanager
async def world(*answers: Answer, **settings: Any) -> AsyncIterator[tuple[OpenAIChat, FakeUpstream, Waits]]:
    async with fake_upstream(*answers) as upstream:
        waits = Waits()
        model = OpenAIChat(
            Upstream(**{"url": upstream.url, "name": "main", "key": KEY, **settings}),
            backoff=Backoff(chance=lambda: 1.0),
            sleep=waits,
        )
        await model.start()
        try:
            yield model, upstream, waits
        finally:
            await model.stop()


async def ask(model: OpenAIChat, request: ModelRequest = REQUEST) -> list[Piece]:
    async with asyncio.timeout(20), model.reply(request) as batches:
        return [piece async for batch in batches for piece in batch]


async def failure(model: OpenAIChat) -> ModelError:
    with pytest.raises(ModelError) as raised:
        await ask(model)
    return raised.value


def said(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, TextPiece))


async def hang(exchange: Exchange) -> None:
    await exchange.left()


async def cut_at_once(exchange: Exchange) -> None:
    exchange.cut()


async def test_an_answer_streams_to_its_usage() -> None:
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


async def test_each_read_is_one_batch_as_it_comes() -> None:
    heard = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "a"}), chunk({"content": "b"})))
        await heard.wait()
        await exchange.piece(sse(chunk({"content": "c"}, "stop")) + b"data: [DONE]\n\n")
        await exchange.end()

    async with world(answer) as (model, _, _), asyncio.timeout(20), model.reply(REQUEST) as batches:
        assert await anext(batches) == [TextPiece("ab")]
        heard.set()
        assert await anext(batches) == [TextPiece("c"), Finish("stop")]
        assert [batch async for batch in batches] == []


async def test_one_connection_serves_call_after_call() -> None:
    async with world(text("a")) as (model, upstream, _):
        for _ in range(3):
            await ask(model)
    assert (len(upstream.exchanges), upstream.connections) == (3, 1)


async def test_hundreds_of_calls_run_at_once() -> None:
    together = asyncio.Barrier(300)

    async def answer(exchange: Exchange) -> None:
        await together.wait()
        await text("a")(exchange)

    async with world(answer) as (model, _, _), asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(model)) for _ in range(300)]
        assert {said(await task) for task in tasks} == {"a"}


async def test_a_server_that_does_not_stream_is_understood() -> None:
    async with world(plain({"choices": [{"message": {"content": "Hello"}, "finish_reason": "length"}]})) as (
        model,
        _,
        _,
    ):
        assert await ask(model) == [TextPiece("Hello"), Finish("length")]


async def test_a_long_answer_comes_whole() -> None:
    words = [f" word{number}" for number in range(20_000)]
    async with world(text(*words)) as (model, _, _):
        assert said(await ask(model)) == "".join(words)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
async def test_a_passing_error_is_asked_again(status: int) -> None:
    async with world(refused(status, {}), refused(status, {}), text("Hello")) as (model, _, waits):
        assert said(await ask(model)) == "Hello"
    assert waits.all == [0.5, 1.0]


async def test_a_cut_before_the_first_piece_is_asked_again() -> None:
    async def cut_after_the_head(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"role": "assistant"})))
        exchange.cut()

    async with world(cut_at_once, cut_after_the_head, stream(done=False), text("Hello")) as (model, _, waits):
        assert said(await ask(model)) == "Hello"
    assert len(waits.all) == 3


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.7),
        ({"retry-after-ms": "500", "Retry-After": "7"}, 0.55),
        ({"Retry-After": "3600"}, 60.0),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "Fri, 31 Dec 1999 23:59:49 GMT"}, 11.0),
        ({"Retry-After": "soon"}, 0.5),
        ({"Retry-After": "-5"}, 0.5),
    ],
)
async def test_retry_after_is_honoured_within_bounds(headers: dict[str, str], wait: float) -> None:
    async with world(refused(429, {}, headers), text("Hello")) as (model, _, waits):
        assert said(await ask(model)) == "Hello"
    assert waits.all == pytest.approx([wait])


def test_waits_grow_and_end_growing() -> None:
    backoff = Backoff(chance=lambda: 1.0)
    assert [backoff.wait(retry) for retry in (0, 1, 2, 7, 5000)] == [0.5, 1.0, 2.0, 60.0, 60.0]
    assert Backoff(chance=lambda: 0.0).wait(3) == 0.0


async def test_retries_end(caplog: pytest.LogCaptureFixture) -> None:
    body = {"error": {"message": "Too many requests for this model."}}
    with caplog.at_level(logging.WARNING, "runstead.llm"):
        async with world(refused(429, body), max_retries=2) as (model, upstream, waits):
            error = await failure(model)
    assert error.code == "rate_limit_exceeded"
    assert error.message == (
        "The model server 'main' answered 429 Too Many Requests: Too many requests for this model. (3 attempts)"
    )
    assert (len(upstream.exchanges), len(waits.all)) == (3, 2)
    first = caplog.records[0]
    assert "answered 429 Too Many Requests" in first.getMessage()
    assert "retry 1 of 2 in 0.5 s" in first.getMessage()
    assert {name: vars(first)[name] for name in ("run_id", "upstream", "status", "wait")} == {
        "run_id": "run_1",
        "upstream": "main",
        "status": 429,
        "wait": 0.5,
    }


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (
            400,
            {"error": {"message": "No images here.", "code": "bad_image"}},
            "invalid_prompt",
            "No images here. (bad_image)",
        ),
        (422, {"detail": [{"loc": ["body"], "msg": "Field required"}]}, "invalid_prompt", "Field required"),
        (413, b"<html>Too big</html>", "invalid_prompt", "answered 413"),
        (401, {"message": "Who are you?"}, "server_error", "401 Unauthorized: Who are you?"),
        (404, {"error": "model 'm' not found"}, "server_error", "404 Not Found: model 'm' not found"),
        (418, b"I am\n\na   teapot", "server_error", ": I am a teapot"),
        (429, {"error": {"message": "Pay.", "code": "insufficient_quota"}}, "rate_limit_exceeded", "Pay."),
        (302, b"", "server_error", "redirects to elsewhere"),
        (400, b"\xff" * 9, "invalid_prompt", "answered 400"),
        (400, b"[" * 60_000, "invalid_prompt", "answered 400"),
        (499, {}, "server_error", "answered 499"),
    ],
)
async def test_a_lasting_error_is_told_at_once(status: int, body: Any, code: str, words: str) -> None:
    async with world(refused(status, body)) as (model, upstream, _):
        error = await failure(model)
    assert error.code == code
    assert words in error.message
    assert len(upstream.exchanges) == 1


async def test_messages_are_bounded_and_never_hold_the_key(caplog: pytest.LogCaptureFixture) -> None:
    body = {"error": {"message": f"Bad key {KEY}! " + "x" * 10_000}}
    async with world(refused(500, body), max_retries=1) as (model, _, _):
        error = await failure(model)
        assert KEY not in repr(vars(model)["_upstream"])
    assert len(error.message) < 600
    assert "Bad key ***!" in error.message
    assert KEY not in error.message + caplog.text


async def test_nobody_there_is_told_after_the_retries() -> None:
    async with world(text("a")) as (_, upstream, _):
        pass
    model = OpenAIChat(Upstream(url=upstream.url, max_retries=1), sleep=(waits := Waits()))
    await model.start()
    error = await failure(model)
    await model.stop()
    assert "cannot be reached at 127.0.0.1:" in error.message
    assert "Connection refused (2 attempts)" in error.message
    assert error.code == "server_error"
    assert len(waits.all) == 1


async def test_an_upstream_that_sends_nothing_times_out() -> None:
    async with world(hang, first_token_timeout=0.05) as (model, _, waits):
        error = await failure(model)
    assert error.message == "The model server 'main' sent nothing for 0.05 s"
    assert waits.all == []


async def test_an_upstream_that_falls_silent_times_out() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "Hello"})))
        await exchange.left()

    async with world(answer, token_timeout=0.05) as (model, _, _):
        error = await failure(model)
    assert error.message == "The model server 'main' fell silent for 0.05 s in the middle of its answer"


async def test_a_slow_reader_is_not_the_upstreams_silence() -> None:
    heard = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "Hello"})))
        await heard.wait()
        await exchange.piece(sse(chunk({}, "stop")))
        await exchange.end()

    async with world(answer, token_timeout=0.05) as (model, _, _), model.reply(REQUEST) as batches:
        await anext(batches)
        await asyncio.sleep(0.12)  # the passing of time itself is what is tested
        heard.set()
        assert [batch async for batch in batches] == [[Finish("stop")]]


@pytest.mark.parametrize("ends", [True, False])
async def test_a_stream_that_breaks_is_an_error_and_not_asked_again(ends: bool) -> None:
    heard = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "Hello"})))
        await heard.wait()
        if ends:
            await exchange.end()
        else:
            exchange.cut()

    async with world(answer) as (model, upstream, _), asyncio.timeout(20), model.reply(REQUEST) as batches:
        assert await anext(batches) == [TextPiece("Hello")]
        heard.set()
        with pytest.raises(ModelError, match="'main' broke off in the middle of its answer"):
            await anext(batches)
    assert len(upstream.exchanges) == 1


async def test_an_error_in_the_stream_is_told() -> None:
    events = chunk({"content": "Hello"}), {"error": {"message": "Out of memory.", "code": 500}}
    async with world(stream(*events)) as (model, upstream, _), model.reply(REQUEST) as batches:
        assert await anext(batches) == [TextPiece("Hello")]
        with pytest.raises(ModelError, match="answered 500 Internal Server Error: Out of memory"):
            await anext(batches)
    assert len(upstream.exchanges) == 1


@pytest.mark.parametrize("batches_read", [0, 1])
async def test_leaving_closes_the_connection_at_once(batches_read: int) -> None:
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


async def test_a_context_may_be_left_between_batches() -> None:
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


async def test_a_server_that_keeps_the_line_after_done_holds_nobody_up() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "Hello"}, "stop")) + b"data: [DONE]\n\n")
        await exchange.left()

    async with world(answer) as (model, _, _):
        async with asyncio.timeout(5):
            assert said(await ask(model)) == "Hello"


async def test_models_are_listed() -> None:
    listed = {"data": [{"id": "a", "created": 5, "owned_by": "me"}, {"id": "b", "created": None}]}
    async with world(plain(listed)) as (model, upstream, _):
        models = await model.models()
    assert [(each.id, each.created, each.owned_by) for each in models] == [("a", 5, "me"), ("b", 0, "upstream")]
    assert (upstream.exchanges[0].method, upstream.exchanges[0].path) == ("GET", "/v1/models")


@pytest.mark.parametrize("answer", [refused(500, {}), plain([]), refused(200, b"<html>"), cut_at_once])
async def test_a_list_that_fails_is_empty_and_logged(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    async with world(answer) as (model, _, _):
        assert await model.models() == []
    assert "Cannot list the models: the model server 'main'" in caplog.text


@pytest.mark.parametrize("tail", ["", "/", "/chat/completions"])
async def test_the_url_may_end_in_several_ways(tail: str) -> None:
    async with fake_upstream(text("a")) as upstream:
        model = OpenAIChat(Upstream(url=f"{upstream.url}{tail}?api-version=1"))
        await model.start()
        await ask(model)
        await model.stop()
    assert upstream.exchanges[0].path == "/v1/chat/completions?api-version=1"


async def test_it_takes_the_names_that_fit_its_patterns() -> None:
    model = OpenAIChat(Upstream(url="http://127.0.0.1:1", models=("qwen*", "gpt-4o"), window=100))
    assert [model.takes(name) for name in ("qwen3", "gpt-4o", "gpt-4o-mini")] == [True, True, False]
    assert (model.window("qwen3"), model.window("other")) == (100, None)


async def test_a_model_that_was_stopped_says_so() -> None:
    async with world(text("a")) as (model, _, _):
        pass
    with pytest.raises(Closed):
        await ask(model)


async def test_a_certificate_that_is_wrong_is_not_asked_again() -> None:
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
        {"url": "http://me:pass@127.0.0.1"},
        {"key": "a", "key_env": "B"},
        {"models": ()},
        {"token_timeout": 0},
        {"max_retries": -1},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(RunsteadError, match="Upstream 'main': "):
        Upstream(**{"url": "http://127.0.0.1", "name": "main", **settings})


def test_a_key_may_come_from_the_environment() -> None:
    upstream = Upstream(url="http://127.0.0.1", key_env="MODEL_KEY")
    assert upstream.secret({"MODEL_KEY": KEY}) == KEY
    with pytest.raises(RunsteadError, match="MODEL_KEY is not set"):
        upstream.secret({})
