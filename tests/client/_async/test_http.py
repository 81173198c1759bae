"""Headers, retries and error responses of the HTTP transport."""

import pytest

from runstead.client._async.client import AsyncClient
from runstead.client.deadline import Deadline
from runstead.client.http.outgoing import outgoing
from runstead.client.http.target import Target
from runstead.wire.assistant import AssistantRequest
from runstead.wire.endpoints.models import MODELS
from runstead.wire.endpoints.threads import GET_THREAD
from runstead.wire.error import (
    ApiError,
    BadRequest,
    Closed,
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    ServerError,
    TooLarge,
    Unauthorized,
    Unreachable,
    WaitTimeout,
)
from runstead.wire.thread import ThreadRequest
from tests.client import samples
from tests.client._async.support import AsyncPauses, client_of
from tests.client.samples import ASSISTANT_ID, EVENTS_PATH, RUN_ID, THREAD_ID
from tests.client.wire_server import Disconnect, NoResponse, Response, Script, Stream, WireServer

GOOD = Response.of(samples.thread())
KEEPS = Response.of(samples.thread(), idempotency_keys="86400")
"""The response of a server that keeps idempotency keys."""
LOST = [Response.error(500), Response.error(502), Response.error(503), Response.error(408), Disconnect()]
THREAD_PATH = f"/threads/{THREAD_ID}"


async def test_every_request_has_the_api_key_and_the_beta_header(server: WireServer, pauses: AsyncPauses) -> None:
    server.on("GET", THREAD_PATH, GOOD)
    async with client_of(server, pauses, api_key="sk-secret") as client:
        await client.get_thread(THREAD_ID)
        assert "secret" not in repr(client)
        assert "secret" not in repr(outgoing(Target(server.url, "sk-secret"), MODELS, {}, None, None))
    headers = server.seen[0].headers
    assert headers["authorization"] == "Bearer sk-secret"
    assert headers["openai-beta"] == "assistants=v2"
    assert headers["user-agent"].startswith("runstead-python/")
    assert headers["host"] == server.url.removeprefix("http://")
    assert "idempotency-key" not in headers


async def test_without_an_api_key_no_authorization_is_sent(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, GOOD)
    await client.get_thread(THREAD_ID)
    assert "authorization" not in server.seen[0].headers


async def test_consecutive_calls_reuse_a_connection(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, GOOD)
    for _ in range(3):
        await client.get_thread(THREAD_ID)
    assert server.connections == 1


@pytest.mark.parametrize(
    "failure",
    [Response.error(408), Response.error(429), Response.error(500), Response.error(503), Disconnect()],
    ids=["408", "429", "500", "503", "cut"],
)
async def test_a_get_is_retried(client: AsyncClient, server: WireServer, pauses: AsyncPauses, failure: Script) -> None:
    server.on("GET", THREAD_PATH, failure, failure, GOOD)
    assert (await client.get_thread(THREAD_ID)).id == THREAD_ID
    assert len(server.seen) == 3
    first, second = pauses.taken
    assert 0 < first < second


async def test_a_delete_is_retried(client: AsyncClient, server: WireServer) -> None:
    server.on("DELETE", THREAD_PATH, Disconnect(), Response.of(samples.deleted(THREAD_ID, "thread")))
    assert (await client.delete_thread(THREAD_ID)).deleted


@pytest.mark.parametrize(
    "failure",
    [Response.error(429), Response.error(503, retry_after="1"), Response.error(500, x_should_retry="true")],
    ids=["429", "503 with retry-after", "x-should-retry"],
)
async def test_a_post_that_was_not_carried_out_is_retried_with_the_same_key(
    client: AsyncClient, server: WireServer, failure: Script
) -> None:
    server.on("POST", "/threads", failure, GOOD)
    await client.create_thread()
    first, second = (seen.headers["idempotency-key"] for seen in server.seen)
    assert first == second


async def test_each_post_has_its_own_idempotency_key(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", "/threads", GOOD)
    await client.create_thread()
    await client.create_thread(ThreadRequest())
    assert len({seen.headers["idempotency-key"] for seen in server.seen}) == 2


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Response.error(500), ServerError),
        (Response.error(503), ServerError),
        (Response.error(408), BadRequest),
        (Response.error(409), Conflict),
        (Disconnect(), Unreachable),
    ],
    ids=["500", "503", "408", "409", "cut"],
)
async def test_a_post_of_unknown_outcome_is_not_retried_without_idempotency_keys_on_the_server(
    client: AsyncClient, server: WireServer, failure: Script, error: type[Exception]
) -> None:
    server.on("POST", "/threads", failure, GOOD)
    with pytest.raises(error):
        await client.create_thread()
    assert server.calls.count("POST /threads") == 1


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("failure", LOST, ids=["500", "502", "503", "408", "cut"])
async def test_a_post_of_unknown_outcome_is_retried_where_the_server_keeps_idempotency_keys(
    client: AsyncClient, server: WireServer, failure: Script, *, known: bool
) -> None:
    server.on("GET", "", KEEPS)
    server.on("GET", THREAD_PATH, KEEPS)
    server.on("POST", "/threads", failure, failure, GOOD)
    if known:
        await client.get_thread(THREAD_ID)
        server.seen.clear()
    assert (await client.create_thread()).id == THREAD_ID
    asking = [] if known else ["GET "]
    assert server.calls == ["POST /threads", *asking, "POST /threads", "POST /threads"]
    assert len({seen.headers["idempotency-key"] for seen in server.seen if seen.method == "POST"}) == 1


async def test_a_proxy_error_does_not_change_the_features_of_the_server(
    client: AsyncClient, server: WireServer
) -> None:
    server.on("GET", THREAD_PATH, KEEPS)
    server.on("POST", "/threads", Response(b"<html>Bad Gateway</html>", 502), GOOD)
    await client.get_thread(THREAD_ID)
    assert (await client.create_thread()).id == THREAD_ID
    assert server.calls[1:] == ["POST /threads", "POST /threads"]


async def test_a_post_is_not_retried_if_the_server_cannot_be_asked_for_its_features(
    client: AsyncClient, server: WireServer
) -> None:
    server.on("POST", "/threads", Disconnect(), GOOD)
    server.on("GET", "", Disconnect())
    with pytest.raises(Unreachable, match="may have been carried out"):
        await client.create_thread()
    assert server.calls == ["POST /threads", "GET ", "GET "]


async def test_once_sets_the_idempotency_key_of_one_call_only(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", "/threads", GOOD)
    server.on("GET", THREAD_PATH, GOOD)
    await client.once("order 17").create_thread()
    await client.once("order 17").get_thread(THREAD_ID)
    await client.create_thread()
    keys = [seen.headers.get("idempotency-key") for seen in server.seen]
    assert keys[:2] == ["order 17", None]
    assert keys[2] not in {None, "order 17"}


async def test_an_idempotency_key_with_characters_not_allowed_in_headers_is_refused(
    client: AsyncClient, server: WireServer
) -> None:
    with pytest.raises(BadRequest, match="printable"):
        await client.once("order\r\nx: 1").create_thread()
    assert not server.seen


async def test_x_should_retry_false_prevents_a_retry(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Response.error(429, x_should_retry="false"), GOOD)
    with pytest.raises(RateLimited):
        await client.get_thread(THREAD_ID)


async def test_retry_after_sets_the_delay(client: AsyncClient, server: WireServer, pauses: AsyncPauses) -> None:
    failure = Response.error(429, retry_after="7"), Response.error(429, retry_after="9", retry_after_ms="250")
    server.on("GET", THREAD_PATH, *failure, GOOD)
    await client.get_thread(THREAD_ID)
    assert pauses.taken == [7.0, 0.25]


async def test_a_retry_after_of_more_than_a_minute_is_an_error_at_once(
    client: AsyncClient, server: WireServer, pauses: AsyncPauses
) -> None:
    server.on("GET", THREAD_PATH, Response.error(429, retry_after="3600"), GOOD)
    with pytest.raises(RateLimited) as raised:
        await client.get_thread(THREAD_ID)
    assert raised.value.retry_after == 3600
    assert not pauses.taken


async def test_retries_are_bounded(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Response.error(500, "still broken"))
    with pytest.raises(ServerError, match="still broken"):
        await client.get_thread(THREAD_ID)
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (413, TooLarge),
        (422, BadRequest),
    ],
)
async def test_each_status_has_its_error_class(
    client: AsyncClient, server: WireServer, status: int, kind: type[ApiError]
) -> None:
    details = {"message": "because", "type": "invalid_request_error", "param": "x", "code": "invalid_value"}
    server.on("POST", "/threads", Response.of({"error": details}, status))
    with pytest.raises(kind) as raised:
        await client.create_thread()
    error = raised.value
    assert (error.status, error.message, error.param, error.code) == (status, "because", "x", "invalid_value")
    assert error.request_id == "req_1"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": "plain words"}', "plain words"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"error": {"message": "odd", "type": null}}', "odd"),
        (b"<html>Bad Gateway</html>", "HTTP status 400: '<html>Bad Gateway</html>'"),
        (b"", "HTTP status 400: ''"),
        (b"[1]", "HTTP status 400: '[1]'"),
    ],
)
async def test_the_error_message_is_taken_from_any_body(
    client: AsyncClient, server: WireServer, body: bytes, said: str
) -> None:
    server.on("POST", "/threads", Response(body, 400))
    with pytest.raises(BadRequest) as raised:
        await client.create_thread()
    assert raised.value.message == said


async def test_a_redirect_is_an_error_that_names_the_location(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", "/threads", Response(b"", 308, {"location": "https://elsewhere/v1/threads"}))
    with pytest.raises(BadRequest, match="https://elsewhere/v1/threads"):
        await client.create_thread()


async def test_a_response_that_is_not_json_is_an_error_that_shows_it(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Response(b"<html>Welcome</html>"))
    with pytest.raises(ServerError, match="not JSON.*Welcome.*URL"):
        await client.get_thread(THREAD_ID)


async def test_a_response_of_another_type_is_an_error_that_names_the_type(
    client: AsyncClient, server: WireServer
) -> None:
    server.on("GET", THREAD_PATH, Response.of({"id": 1}))
    with pytest.raises(ServerError, match="not a Thread"):
        await client.get_thread(THREAD_ID)


async def test_unknown_fields_in_a_response_are_ignored(client: AsyncClient, server: WireServer) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}, "brand_new": 1}, "also_new": 2}
    server.on("GET", f"/assistants/{ASSISTANT_ID}", Response.of(samples.assistant(tools=[tool], surprise=[])))
    assistant = await client.get_assistant(ASSISTANT_ID)
    assert assistant.tools[0].function.name == "f"  # type: ignore[union-attr]


async def test_without_a_server_the_error_says_how_to_start_one(client: AsyncClient, server: WireServer) -> None:
    server.stop()
    with pytest.raises(Unreachable, match=f"No connection to {server.url}/v1 .*runstead serve"):
        await client.create_assistant(AssistantRequest(model="m"))


async def test_a_post_that_was_never_sent_is_retried(
    client: AsyncClient, server: WireServer, pauses: AsyncPauses
) -> None:
    server.stop()
    with pytest.raises(Unreachable):
        await client.create_thread()
    assert len(pauses.taken) == 2


async def test_a_response_time_out_is_unreachable(server: WireServer, pauses: AsyncPauses) -> None:
    server.on("POST", "/threads", NoResponse())
    async with client_of(server, pauses, timeout=0.1) as client:
        with pytest.raises(Unreachable, match="in time"):
            await client.create_thread()


async def test_a_deadline_bounds_a_call(client: AsyncClient, server: WireServer, pauses: AsyncPauses) -> None:
    server.on("GET", THREAD_PATH, NoResponse())
    with pytest.raises(WaitTimeout):
        await client._transport.call(GET_THREAD, {"thread_id": THREAD_ID}, deadline=Deadline(0.1))
    assert not pauses.taken


async def test_a_closed_client_raises_closed(client: AsyncClient, server: WireServer) -> None:
    await client.aclose()
    with pytest.raises(Closed):
        await client.get_thread(THREAD_ID)
    with pytest.raises(Closed):
        await client.run_events(THREAD_ID, RUN_ID).final_run()
    assert not server.seen


async def test_a_response_that_is_not_a_stream_is_an_error(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Response.of(samples.run()))
    with pytest.raises(ServerError, match="does not stream"):
        await client.run_events(THREAD_ID, RUN_ID).final_run()


async def test_opening_a_stream_is_retried_after_429(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Response.error(429), Stream.of())
    assert [event async for event in client.run_events(THREAD_ID, RUN_ID)] == []
    assert len(server.seen) == 2
