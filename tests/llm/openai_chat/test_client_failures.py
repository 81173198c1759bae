"""The client over a real socket: retries, timeouts, and error messages."""

import asyncio
import logging
from typing import Any

import pytest

from runstead.domain.model_call import Finish, TextPiece
from runstead.llm.openai_chat.client import OpenAIChat
from runstead.llm.openai_chat.upstream import Upstream
from runstead.llm.port import ModelError
from runstead.model_server.retry import Backoff
from tests.llm.fake_upstream import (
    Exchange,
    chunk,
    refused,
    sse,
    stream,
    text,
)
from tests.llm.openai_chat.client import KEY, REQUEST, Waits, ask, cut_at_once, failure, hang, said, world


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
async def test_a_temporary_error_is_retried(status: int) -> None:
    async with world(refused(status, {}), refused(status, {}), text("Hello")) as (model, _, waits):
        assert said(await ask(model)) == "Hello"
    assert waits.all == [0.5, 1.0]


async def test_a_broken_connection_before_the_first_piece_is_retried() -> None:
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
    async with world(refused(503, {}, headers), text("Hello")) as (model, _, waits):
        assert said(await ask(model)) == "Hello"
    assert waits.all == pytest.approx([wait])


@pytest.mark.parametrize(
    ("headers", "waits", "retry_after"),
    [
        ({"Retry-After": "1"}, [1.1], 1.0),
        ({"Retry-After": "7"}, [], 7.0),
        ({"retry-after-ms": "300", "Retry-After": "1"}, [0.33] * 6, 0.3),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "Fri, 31 Dec 1999 23:59:49 GMT"}, [], 10.0),
        ({}, [0.5, 1.0], None),
    ],
)
async def test_a_rate_limit_is_waited_for_two_seconds_at_most(
    headers: dict[str, str], waits: list[float], retry_after: float | None
) -> None:
    async with world(refused(429, {}, headers), max_retries=100) as (model, upstream, waited):
        error = await failure(model)
    assert waited.all == pytest.approx(waits)
    assert len(upstream.exchanges) == len(waits) + 1
    assert (error.code, error.rate_limited, error.retry_after) == ("rate_limit_exceeded", True, retry_after)


@pytest.mark.parametrize("begun", [{"error": {"message": "Busy.", "code": 503}}, chunk({}, "error")])
async def test_an_answer_that_began_and_failed_is_retried_twice(begun: dict[str, Any]) -> None:
    async with world(stream(begun)) as (model, upstream, waits):
        error = await failure(model)
    assert "(3 attempts)" in error.message
    assert (len(upstream.exchanges), waits.all) == (3, [0.5, 1.0])


async def test_an_answer_that_began_and_failed_can_succeed_at_the_next_attempt() -> None:
    async with world(stream(), stream(chunk({}, "abort")), text("Hello")) as (model, _, waits):
        assert said(await ask(model)) == "Hello"
    assert waits.all == [0.5, 1.0]


async def test_the_delay_named_by_an_error_in_the_stream_is_kept() -> None:
    async with world(stream({"error": {"message": "Slow.", "code": 429, "retry_after": 7}})) as (model, _, waits):
        error = await failure(model)
    assert (error.rate_limited, error.retry_after, waits.all) == (True, 7.0, [])


async def test_a_rate_limit_in_the_middle_of_an_answer_is_rate_limited() -> None:
    events = chunk({"content": "Hello"}), {"error": {"message": "Slow down.", "code": 429}}
    async with world(stream(*events)) as (model, _, _):
        assert (await failure(model)).rate_limited


def test_backoff_grows_up_to_a_maximum() -> None:
    backoff = Backoff(jitter=lambda: 1.0)
    assert [backoff.wait(retry) for retry in (0, 1, 2, 7, 5000)] == [0.5, 1.0, 2.0, 60.0, 60.0]
    assert Backoff(jitter=lambda: 0.0).wait(3) == 0.0


async def test_the_number_of_retries_is_limited(caplog: pytest.LogCaptureFixture) -> None:
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
async def test_a_permanent_error_is_not_retried(status: int, body: Any, code: str, words: str) -> None:
    async with world(refused(status, body)) as (model, upstream, _):
        error = await failure(model)
    assert error.code == code
    assert not error.rate_limited
    assert words in error.message
    assert len(upstream.exchanges) == 1


async def test_messages_are_limited_in_length_and_never_contain_the_key(caplog: pytest.LogCaptureFixture) -> None:
    body = {"error": {"message": f"Bad key {KEY}! " + "x" * 10_000}}
    async with world(refused(500, body), max_retries=1) as (model, _, _):
        error = await failure(model)
        assert KEY not in repr(vars(model)["_upstream"])
    assert len(error.message) < 600
    assert "Bad key ***!" in error.message
    assert KEY not in error.message + caplog.text


async def test_a_refused_connection_is_an_error_after_the_retries() -> None:
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


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "53s"}
DELAYS = [
    (429, {"error": {"message": "Quota", "status": "RESOURCE_EXHAUSTED", "details": [RETRY_INFO]}}, 53.0),
    (429, [{"error": {"message": "Quota", "code": 429, "details": [RETRY_INFO]}}], 53.0),
    (429, {"error": {"message": "Rate limit reached. Please try again in 7.5s.", "code": "rate_limit_exceeded"}}, 7.5),
    (429, {"error": {"message": "Rate limit reached. Please try again in 250ms."}}, 0.25),
    (429, {"error": {"message": "Please try again in 2m3.5s."}}, 123.5),
    (429, {"error": {"message": "Exceeded the call rate limit. Please retry after 3 seconds."}}, 3.0),
    (429, {"error": {"message": "Slow.", "metadata": {"headers": {"Retry-After": "9"}}}}, 9.0),
    (429, {"error": {"message": "Slow."}, "retry_after": 4}, 4.0),
    (500, {"error": {"message": "litellm.RateLimitError: Slow.", "type": "throttling_error", "code": "429"}}, None),
    (400, {"message": "Too many requests", "__type": "ThrottlingException"}, None),
    (424, {"error": {"message": '{"error":{"message":"Slow.","code":429}}', "code": 424}}, None),
]


@pytest.mark.parametrize(("status", "body", "delay"), DELAYS)
async def test_a_rate_limit_is_one_with_its_delay_in_any_wording(status: int, body: Any, delay: float | None) -> None:
    async with world(refused(status, body), max_retries=0) as (model, _, _):
        error = await failure(model)
    assert (error.code, error.rate_limited, error.retry_after) == ("rate_limit_exceeded", True, delay)


async def test_an_upstream_that_sends_only_comments_times_out() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(b': PROCESSING\n\ndata: {"choices":[]}\n\n')
        await exchange.left()

    async with world(answer, first_token_timeout=0.5, token_timeout=60.0) as (model, upstream, _):
        error = await failure(model)
        assert len(upstream.exchanges) == 1
    assert error.message == "The model server 'main' sent no part of an answer for 0.5 s, only comments"


async def test_an_upstream_that_stops_sending_times_out() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "Hello"})))
        await exchange.left()

    async with world(answer, token_timeout=0.05) as (model, _, _):
        error = await failure(model)
    assert error.message == "The model server 'main' sent nothing for 0.05 s in the middle of its answer"


async def test_a_slow_consumer_does_not_time_out() -> None:
    begun, slept = asyncio.Event(), asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "Hello"})))
        await begun.wait()
        await exchange.piece(sse(chunk({"content": " you"})))
        await slept.wait()
        await exchange.piece(sse(chunk({}, "stop")))
        await exchange.end()

    async def silent(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "Hello"})))
        await exchange.left()

    async with world(answer, silent, token_timeout=0.2) as (model, _, _), model.reply(REQUEST) as batches:
        await anext(batches)
        begun.set()
        await anext(batches)
        # A timeout that began later has expired, so the slow consumer has waited longer than the timeout too.
        assert "sent nothing" in (await failure(model)).message
        slept.set()
        assert [batch async for batch in batches] == [[Finish("stop")]]


@pytest.mark.parametrize("ends", [True, False])
async def test_a_stream_that_breaks_is_an_error_and_not_retried(ends: bool) -> None:
    received = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"content": "Hello"})))
        await received.wait()
        if ends:
            await exchange.end()
        else:
            exchange.cut()

    async with world(answer) as (model, upstream, _), asyncio.timeout(20), model.reply(REQUEST) as batches:
        assert await anext(batches) == [TextPiece("Hello")]
        received.set()
        with pytest.raises(ModelError, match="'main' broke off in the middle of its answer"):
            await anext(batches)
    assert len(upstream.exchanges) == 1


async def test_an_error_in_the_stream_is_raised_after_its_pieces() -> None:
    events = chunk({"content": "Hello"}), {"error": {"message": "Out of memory.", "code": 500}}
    async with world(stream(*events)) as (model, upstream, _), model.reply(REQUEST) as batches:
        assert await anext(batches) == [TextPiece("Hello")]
        with pytest.raises(ModelError, match="answered 500 Internal Server Error: Out of memory"):
            await anext(batches)
    assert len(upstream.exchanges) == 1
