# Generated from tests/client/_async/test_http.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""What is sent along, what is sent again, and what comes out of answers that are no objects."""

import pytest

from runstead.client._sync.client import Client
from runstead.client.deadline import Deadline
from runstead.client.http.outgoing import outgoing
from runstead.client.http.target import Target
from runstead.wire import endpoint
from runstead.wire.assistant import AssistantRequest
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
from tests.client._sync.support import Pauses, client_of
from tests.client.samples import ASSISTANT_ID, EVENTS_PATH, RUN_ID, THREAD_ID
from tests.client.wire_server import Answer, Cut, Script, Silence, Stream, WireServer

GOOD = Answer.of(samples.thread())
KEEPS = Answer.of(samples.thread(), idempotency_keys="86400")
"""The answer of a server that does once what names a key."""
LOST = [Answer.error(500), Answer.error(502), Answer.error(503), Answer.error(408), Cut()]
THREAD_PATH = f"/threads/{THREAD_ID}"


def test_the_key_and_the_beta_header_go_with_every_request(server: WireServer, pauses: Pauses) -> None:
    server.on("GET", THREAD_PATH, GOOD)
    with client_of(server, pauses, api_key="sk-secret") as client:
        client.get_thread(THREAD_ID)
        assert "secret" not in repr(client)
        assert "secret" not in repr(outgoing(Target(server.url, "sk-secret"), endpoint.MODELS, {}, None, None))
    headers = server.seen[0].headers
    assert headers["authorization"] == "Bearer sk-secret"
    assert headers["openai-beta"] == "assistants=v2"
    assert headers["user-agent"].startswith("runstead-python/")
    assert headers["host"] == server.url.removeprefix("http://")
    assert "idempotency-key" not in headers


def test_without_a_key_no_authorization_is_sent(client: Client, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, GOOD)
    client.get_thread(THREAD_ID)
    assert "authorization" not in server.seen[0].headers


def test_calls_share_a_connection(client: Client, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, GOOD)
    for _ in range(3):
        client.get_thread(THREAD_ID)
    assert server.connections == 1


@pytest.mark.parametrize(
    "trouble",
    [Answer.error(408), Answer.error(429), Answer.error(500), Answer.error(503), Cut()],
    ids=["408", "429", "500", "503", "cut"],
)
def test_reading_is_tried_again(client: Client, server: WireServer, pauses: Pauses, trouble: Script) -> None:
    server.on("GET", THREAD_PATH, trouble, trouble, GOOD)
    assert (client.get_thread(THREAD_ID)).id == THREAD_ID
    assert len(server.seen) == 3
    first, second = pauses.taken
    assert 0 < first < second


def test_deleting_is_tried_again(client: Client, server: WireServer) -> None:
    server.on("DELETE", THREAD_PATH, Cut(), Answer.of(samples.deleted(THREAD_ID, "thread")))
    assert (client.delete_thread(THREAD_ID)).deleted


@pytest.mark.parametrize(
    "trouble",
    [Answer.error(429), Answer.error(503, retry_after="1"), Answer.error(500, x_should_retry="true")],
    ids=["429", "503 with a time", "told to"],
)
def test_creating_is_tried_again_when_nothing_was_done_with_the_same_key(
    client: Client, server: WireServer, trouble: Script
) -> None:
    server.on("POST", "/threads", trouble, GOOD)
    client.create_thread()
    first, second = (seen.headers["idempotency-key"] for seen in server.seen)
    assert first == second


def test_each_request_has_its_own_key(client: Client, server: WireServer) -> None:
    server.on("POST", "/threads", GOOD)
    client.create_thread()
    client.create_thread(ThreadRequest())
    assert len({seen.headers["idempotency-key"] for seen in server.seen}) == 2


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (Answer.error(500), ServerError),
        (Answer.error(503), ServerError),
        (Answer.error(408), BadRequest),
        (Answer.error(409), Conflict),
        (Cut(), Unreachable),
    ],
    ids=["500", "503", "408", "409", "cut"],
)
def test_creating_is_not_tried_again_when_it_may_have_been_done_by_a_server_that_keeps_no_keys(
    client: Client, server: WireServer, trouble: Script, error: type[Exception]
) -> None:
    server.on("POST", "/threads", trouble, GOOD)
    with pytest.raises(error):
        client.create_thread()
    assert server.calls.count("POST /threads") == 1


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("trouble", LOST, ids=["500", "502", "503", "408", "cut"])
def test_creating_is_tried_again_with_its_key_where_keys_are_kept(
    client: Client, server: WireServer, trouble: Script, *, known: bool
) -> None:
    server.on("GET", "", KEEPS)
    server.on("GET", THREAD_PATH, KEEPS)
    server.on("POST", "/threads", trouble, trouble, GOOD)
    if known:
        client.get_thread(THREAD_ID)
        server.seen.clear()
    assert (client.create_thread()).id == THREAD_ID
    asking = [] if known else ["GET "]
    assert server.calls == ["POST /threads", *asking, "POST /threads", "POST /threads"]
    assert len({seen.headers["idempotency-key"] for seen in server.seen if seen.method == "POST"}) == 1


def test_a_proxy_that_fails_says_nothing_about_the_server_behind_it(client: Client, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, KEEPS)
    server.on("POST", "/threads", Answer(b"<html>Bad Gateway</html>", 502), GOOD)
    client.get_thread(THREAD_ID)
    assert (client.create_thread()).id == THREAD_ID
    assert server.calls[1:] == ["POST /threads", "POST /threads"]


def test_what_cannot_be_asked_is_not_tried_again(client: Client, server: WireServer) -> None:
    server.on("POST", "/threads", Cut(), GOOD)
    server.on("GET", "", Cut())
    with pytest.raises(Unreachable, match="may have been carried out"):
        client.create_thread()
    assert server.calls == ["POST /threads", "GET ", "GET "]


def test_a_key_of_ones_own_goes_with_the_call_and_with_no_other(client: Client, server: WireServer) -> None:
    server.on("POST", "/threads", GOOD)
    server.on("GET", THREAD_PATH, GOOD)
    client.once("order 17").create_thread()
    client.once("order 17").get_thread(THREAD_ID)
    client.create_thread()
    keys = [seen.headers.get("idempotency-key") for seen in server.seen]
    assert keys[:2] == ["order 17", None]
    assert keys[2] not in {None, "order 17"}


def test_a_key_that_no_header_can_carry_is_refused(client: Client, server: WireServer) -> None:
    with pytest.raises(BadRequest, match="printable"):
        client.once("order\r\nx: 1").create_thread()
    assert not server.seen


def test_a_server_can_forbid_to_try_again(client: Client, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Answer.error(429, x_should_retry="false"), GOOD)
    with pytest.raises(RateLimited):
        client.get_thread(THREAD_ID)


def test_a_server_says_how_long_to_wait(client: Client, server: WireServer, pauses: Pauses) -> None:
    trouble = Answer.error(429, retry_after="7"), Answer.error(429, retry_after="9", retry_after_ms="250")
    server.on("GET", THREAD_PATH, *trouble, GOOD)
    client.get_thread(THREAD_ID)
    assert pauses.taken == [7.0, 0.25]


def test_a_wait_that_is_too_long_is_an_error_at_once(client: Client, server: WireServer, pauses: Pauses) -> None:
    server.on("GET", THREAD_PATH, Answer.error(429, retry_after="3600"), GOOD)
    with pytest.raises(RateLimited) as raised:
        client.get_thread(THREAD_ID)
    assert raised.value.retry_after == 3600
    assert not pauses.taken


def test_tries_are_bounded(client: Client, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Answer.error(500, "still broken"))
    with pytest.raises(ServerError, match="still broken"):
        client.get_thread(THREAD_ID)
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
def test_a_refusal_is_the_error_of_its_status(
    client: Client, server: WireServer, status: int, kind: type[ApiError]
) -> None:
    details = {"message": "because", "type": "invalid_request_error", "param": "x", "code": "invalid_value"}
    server.on("POST", "/threads", Answer.of({"error": details}, status))
    with pytest.raises(kind) as raised:
        client.create_thread()
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
def test_any_body_of_an_error_is_told(client: Client, server: WireServer, body: bytes, said: str) -> None:
    server.on("POST", "/threads", Answer(body, 400))
    with pytest.raises(BadRequest) as raised:
        client.create_thread()
    assert raised.value.message == said


def test_a_redirect_says_where_the_server_is(client: Client, server: WireServer) -> None:
    server.on("POST", "/threads", Answer(b"", 308, {"location": "https://elsewhere/v1/threads"}))
    with pytest.raises(BadRequest, match="https://elsewhere/v1/threads"):
        client.create_thread()


def test_an_answer_that_is_no_api_says_so(client: Client, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Answer(b"<html>Welcome</html>"))
    with pytest.raises(ServerError, match="not JSON.*Welcome.*URL"):
        client.get_thread(THREAD_ID)


def test_an_answer_of_another_kind_says_what_is_wrong(client: Client, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Answer.of({"id": 1}))
    with pytest.raises(ServerError, match="not a Thread"):
        client.get_thread(THREAD_ID)


def test_fields_of_a_newer_or_foreign_server_are_no_error(client: Client, server: WireServer) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}, "brand_new": 1}, "also_new": 2}
    server.on("GET", f"/assistants/{ASSISTANT_ID}", Answer.of(samples.assistant(tools=[tool], surprise=[])))
    assistant = client.get_assistant(ASSISTANT_ID)
    assert assistant.tools[0].function.name == "f"  # type: ignore[union-attr]


def test_no_server_is_unreachable_with_what_to_do(client: Client, server: WireServer) -> None:
    server.stop()
    with pytest.raises(Unreachable, match=f"No connection to {server.url}/v1 .*runstead serve"):
        client.create_assistant(AssistantRequest(model="m"))


def test_what_was_never_sent_is_tried_again(client: Client, server: WireServer, pauses: Pauses) -> None:
    server.stop()
    with pytest.raises(Unreachable):
        client.create_thread()
    assert len(pauses.taken) == 2


def test_an_answer_that_does_not_come_is_unreachable(server: WireServer, pauses: Pauses) -> None:
    server.on("POST", "/threads", Silence())
    with client_of(server, pauses, timeout=0.1) as client, pytest.raises(Unreachable, match="in time"):
        client.create_thread()


def test_a_deadline_bounds_a_call(client: Client, server: WireServer, pauses: Pauses) -> None:
    server.on("GET", THREAD_PATH, Silence())
    with pytest.raises(WaitTimeout):
        client._transport.call(endpoint.GET_THREAD, {"thread_id": THREAD_ID}, deadline=Deadline(0.1))
    assert not pauses.taken


def test_a_closed_client_says_so(client: Client, server: WireServer) -> None:
    client.close()
    with pytest.raises(Closed):
        client.get_thread(THREAD_ID)
    with pytest.raises(Closed):
        client.run_events(THREAD_ID, RUN_ID).final_run()
    assert not server.seen


def test_a_server_that_does_not_stream_says_so(client: Client, server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Answer.of(samples.run()))
    with pytest.raises(ServerError, match="does not stream"):
        client.run_events(THREAD_ID, RUN_ID).final_run()


def test_a_stream_is_opened_again_when_the_server_is_busy(client: Client, server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Answer.error(429), Stream.of())
    assert list(client.run_events(THREAD_ID, RUN_ID)) == []
    assert len(server.seen) == 2
