"""Errors over HTTP: their shape, their headers and their log lines."""

import logging
import re
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import httpx2
import pytest

from runstead.wire.error import (
    ApiError,
    BadRequest,
    Closed,
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    ServerError,
    Unauthorized,
)
from runstead.wire.model import Model
from tests.api.served import Stage, called, engine, served

REQUEST_ID = re.compile(r"req_[0-9a-f]{32}")


def failing(error: Exception) -> Stage:
    async def fail(*_: Any) -> NoReturn:
        raise error

    return Stage(get_model=fail, create_thread=fail)


def details(response: httpx2.Response) -> dict[str, Any]:
    body: dict[str, dict[str, Any]] = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return body["error"]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (BadRequest("no", param="p", code="c"), 400, "invalid_request_error"),
        (Unauthorized("no", param="p", code="c"), 401, "invalid_request_error"),
        (Forbidden("no", param="p", code="c"), 403, "invalid_request_error"),
        (NotFound("no", param="p", code="c"), 404, "invalid_request_error"),
        (Conflict("no", param="p", code="c"), 409, "invalid_request_error"),
        (RateLimited("no", param="p", code="c"), 429, "rate_limit_exceeded"),
        (ServerError("no", param="p", code="c"), 500, "server_error"),
        (ServerError("no", param="p", code="c", status=503), 503, "server_error"),
    ],
)
async def test_an_error_has_its_status_and_body(error: ApiError, status: int, kind: str) -> None:
    async with called(failing(error)) as client:
        response = await client.get("/models/m")
    assert response.status_code == status
    assert details(response) == {"message": "no", "type": kind, "param": "p", "code": "c"}
    assert response.headers["content-type"] == "application/json"


async def test_every_response_has_a_unique_request_id_and_its_processing_time() -> None:
    async def get_model(model: str) -> Model:
        return Model(id=model)

    async with called(Stage(get_model=get_model)) as client:
        answers = [await client.get(path) for path in ("/models/m", "/models/m", "/nothing", "/../health", "/../docs")]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == len(ids)
    assert all(REQUEST_ID.fullmatch(each) for each in ids)
    assert {answer.headers["openai-version"] for answer in answers} == {"2020-10-01"}
    assert all(int(answer.headers["openai-processing-ms"]) < 10_000 for answer in answers)


async def test_an_unexpected_error_is_logged_and_hidden_from_the_client(caplog: pytest.LogCaptureFixture) -> None:
    async with called(failing(RuntimeError("the secret cause"))) as client:
        response = await client.get("/models/m")
    assert response.status_code == 500
    error = details(response)
    assert error["message"].startswith("The server had an error processing your request.")
    assert (error["type"], error["code"]) == ("server_error", None)
    assert "secret" not in response.text
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert response.headers["x-request-id"] in record.getMessage()
    assert response.headers["x-request-id"] in error["message"]
    assert record.exc_info
    assert "the secret cause" in str(record.exc_info[1])


async def test_a_post_that_failed_unexpectedly_must_not_be_retried() -> None:
    async with called(failing(RuntimeError())) as client:
        assert (await client.post("/threads")).headers["x-should-retry"] == "false"
        assert "x-should-retry" not in (await client.get("/models/m")).headers
    async with called(failing(ServerError("busy", status=503))) as client:
        assert "x-should-retry" not in (await client.post("/threads")).headers


async def test_a_rate_limit_has_a_retry_after() -> None:
    error = RateLimited("Too fast.")
    error.retry_after = 1.5
    async with called(failing(error)) as client:
        headers = (await client.get("/models/m")).headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("2", "1500")


async def test_a_closed_engine_is_503_with_a_retry_after() -> None:
    async with called(failing(Closed("gone"))) as client:
        response = await client.post("/threads")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert details(response)["message"] == "The server is about to stop. Please try again in a moment."


@pytest.mark.parametrize(("stopping", "doing"), [(False, "starting"), (True, "about to stop")])
async def test_a_server_that_is_not_ready_is_503(stopping: bool, doing: str) -> None:
    stage = Stage()
    stage.ready = False
    if stopping:
        stage.draining.set()
    async with called(stage) as client:
        response = await client.get("/models")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert doing in details(response)["message"]


@pytest.mark.parametrize("path", ["/x", "/threads/", "/threads//messages", "/threads/t/runs/r/steps/s/more", "/"])
async def test_an_unknown_path_is_an_invalid_url(path: str) -> None:
    async with called(Stage()) as client:
        response = await client.get(path)
    assert response.status_code == 404
    assert details(response) == {
        "message": f"Invalid URL (GET /v1{path})", "type": "invalid_request_error", "param": None, "code": None,
    }  # fmt: skip


async def test_a_path_without_the_prefix_gets_a_hint() -> None:
    async with called(Stage()) as client:
        response = await client.post("http://127.0.0.1/threads")
    assert response.status_code == 404
    assert details(response)["message"] == "Invalid URL (POST /threads). The paths of the API begin with /v1"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/threads", "GET, POST"),
        ("GET", "/v1/threads/runs", "POST"),
        ("PATCH", "/v1/threads/t/runs/r", "GET, POST"),
        ("OPTIONS", "/v1/models", "GET"),
        ("DELETE", "/v1/models/m", "GET"),
        ("POST", "/docs", "GET, HEAD"),
    ],
)
async def test_an_unsupported_method_is_405(method: str, path: str, allowed: str) -> None:
    async with called(Stage()) as client:
        response = await client.request(method, f"http://127.0.0.1{path}")
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert details(response)["code"] == "method_not_supported"
    assert f"Not allowed to {method} on {path}." in details(response)["message"]


async def test_head_is_405_without_a_body() -> None:
    async with served(Stage()) as client:
        response = await client.head("/models")
    assert (response.status_code, response.content) == (405, b"")


@pytest.mark.parametrize(
    "headers", [{}, {"OpenAI-Beta": ""}, {"OpenAI-Beta": "assistants=v3"}, {"OpenAI-Beta": "x=v2"}]
)
async def test_the_beta_header_is_required(headers: dict[str, str]) -> None:
    async with called(Stage()) as client:
        del client.headers["OpenAI-Beta"]
        response = await client.get("/threads", headers=headers)
    assert response.status_code == 400
    assert details(response) == {
        "message": "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
        "Please try again by setting the header 'OpenAI-Beta: assistants=v2'.",
        "type": "invalid_request_error", "param": None, "code": "invalid_beta",
    }  # fmt: skip


async def test_beta_version_one_is_refused() -> None:
    async with called(Stage()) as client:
        response = await client.post("/threads", headers={"OpenAI-Beta": "assistants=v1"})
    assert response.status_code == 400
    assert details(response)["message"].startswith("The v1 Assistants API has been deprecated. ")
    assert details(response)["code"] == "invalid_beta"


@pytest.mark.parametrize("values", [["realtime=v1, assistants=v2"], ["assistants=v2", "realtime=v1"]])
async def test_one_of_several_beta_headers_is_enough(values: list[str]) -> None:
    async with called(failing(NotFound("through"))) as client:
        del client.headers["OpenAI-Beta"]
        response = await client.post("/threads", headers=[("OpenAI-Beta", value) for value in values])
    assert response.status_code == 404


async def test_models_need_no_beta_header_and_a_setting_turns_it_off() -> None:
    async with called(failing(NotFound("through"))) as client:
        del client.headers["OpenAI-Beta"]
        assert (await client.get("/models/m")).status_code == 404
    async with called(failing(NotFound("through")), require_beta_header=False) as client:
        del client.headers["OpenAI-Beta"]
        assert (await client.post("/threads")).status_code == 404


async def test_a_body_that_is_not_json_is_a_bad_request() -> None:
    async with called(Stage()) as client:
        response = await client.post("/threads", content=b"{'role': 'user'}")
    assert response.status_code == 400
    assert details(response)["message"].startswith("We could not parse the JSON body of your request.")


async def test_an_error_names_the_wrong_parameter(tmp_path: Any) -> None:
    async with engine(tmp_path) as application, called(application) as client:
        body = details(await client.post("/threads", json={"metadata": {"modified": True}}))
        query = details(await client.get("/threads?limit=101"))
    assert (body["param"], body["code"]) == ("metadata.modified", "invalid_type")
    assert (query["param"], query["code"]) == ("limit", "integer_above_max_value")


async def test_a_body_over_the_limit_is_refused() -> None:
    async with served(Stage(), body_limit=1000) as client:
        response = await client.post("/threads", content=b"x" * 1001)
        assert response.status_code == 413
        assert details(response)["code"] == "body_too_large"
        assert response.headers["connection"] == "close"


async def test_a_chunked_body_over_the_limit_is_refused() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    async with served(Stage(), body_limit=1000) as client:
        assert (await client.post("/threads", content=pieces())).status_code == 413


async def test_a_chunked_body_is_read_to_its_end() -> None:
    seen = []

    async def create_thread(request: Any) -> Model:
        seen.append(request.metadata)
        return Model(id="m")

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"meta', b'data": {"a"', b': "b"}}'):
            yield piece

    async with served(Stage(create_thread=create_thread), body_limit=25) as client:
        assert (await client.post("/threads", content=pieces())).status_code == 200
    assert seen == [{"a": "b"}]


async def test_the_debug_log_has_a_line_for_every_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "runstead.api")
    async with called(Stage()) as client:
        response = await client.get("/x%0Aforged line")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "runstead.api"]
    assert line.startswith(f"{response.headers['x-request-id']} GET ")
    assert " 404 in " in line
    assert "\n" not in line
