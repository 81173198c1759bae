"""Web pages of allowed origins: preflights, requests, and readable headers."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from runstead.wire.error import RateLimited
from runstead.wire.model import Model
from runstead.wire.run import Run, Status
from tests.api.served import Stage, called

PAGE = "https://app.example.com"
RUN = Run(id="run_1", created_at=1, thread_id="thread_1", assistant_id="asst_1", status=Status.QUEUED, model="m")
SAFELISTED = {
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
}
"""The headers of a reply that every page may read."""
UNREAD = {"vary", "allow", "connection"}
"""The headers that only the browser itself needs."""


async def get_model(model: str) -> Model:
    return Model(id=model)


async def get_run(*_: str) -> Run:
    return RUN


async def create_thread(*_: object) -> None:
    raise RateLimited("Too fast.")


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    stage = Stage(get_model=get_model, get_run=get_run, create_thread=create_thread)
    async with called(stage, allowed_origins=(PAGE, "http://localhost:3000")) as client:
        yield client


def preflight(origin: str = PAGE, method: str = "POST") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,openai-beta,x-stainless-lang,idempotency-key",
    }


def of(response: httpx2.Response, name: str) -> list[str]:
    """The values of a header of the CORS protocol."""
    return [each.strip() for each in response.headers.get(f"access-control-{name}", "").split(",") if each.strip()]


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:3000"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/threads", "http://127.0.0.1/openai/threads", "/models/m"])
async def test_a_preflight_of_an_allowed_origin_is_granted(
    client: httpx2.AsyncClient, origin: str, method: str, path: str
) -> None:
    response = await client.options(path, headers=preflight(origin, method))
    assert response.status_code == 200
    assert of(response, "allow-origin") == [origin]
    assert method in of(response, "allow-methods")
    asked = preflight()["Access-Control-Request-Headers"].split(",")
    assert set(asked) <= set(of(response, "allow-headers"))
    assert of(response, "allow-credentials") == []


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", f"{PAGE}:444", f"{PAGE}/", "http://app.example.com", "http://localhost:3001"],
)
async def test_a_preflight_of_another_origin_is_refused(client: httpx2.AsyncClient, origin: str) -> None:
    response = await client.options("/threads", headers=preflight(origin))
    assert response.status_code == 400
    assert of(response, "allow-origin") == []


async def test_a_preflight_for_a_method_that_the_api_lacks_is_refused(client: httpx2.AsyncClient) -> None:
    assert (await client.options("/threads", headers=preflight(method="PUT"))).status_code == 400


async def test_a_page_of_an_allowed_origin_may_read_replies_and_errors(client: httpx2.AsyncClient) -> None:
    reply = await client.get("/models/m", headers={"Origin": PAGE})
    missing = await client.get("/nothing", headers={"Origin": PAGE})
    assert (reply.status_code, missing.status_code) == (200, 404)
    for response in (reply, missing):
        assert of(response, "allow-origin") == [PAGE]
        assert of(response, "allow-credentials") == []
        assert "Origin" in response.headers["vary"]


async def test_a_page_may_read_every_header_that_clients_need(client: httpx2.AsyncClient) -> None:
    for method, path in [("GET", "/threads/t/runs/r"), ("POST", "/threads"), ("PATCH", "/threads")]:
        response = await client.request(method, path, headers={"Origin": PAGE})
        sent = {name for name in response.headers if not name.startswith("access-control-")}
        assert sent - SAFELISTED - UNREAD <= set(of(response, "expose-headers"))


async def test_a_page_of_another_origin_is_refused(client: httpx2.AsyncClient) -> None:
    response = await client.get("/models/m", headers={"Origin": "https://evil.example"})
    assert (response.status_code, of(response, "allow-origin")) == (403, [])


async def test_without_the_setting_no_page_may_read_anything() -> None:
    async with called(Stage(get_model=get_model)) as client:
        local = await client.get("/models/m", headers={"Origin": "http://localhost:3000"})
        assert (await client.options("/threads", headers=preflight())).status_code == 403
    assert of(local, "allow-origin") == []
    assert "vary" not in local.headers


async def test_a_reply_to_a_program_says_that_it_depends_on_the_origin(client: httpx2.AsyncClient) -> None:
    response = await client.get("/models/m")
    assert (response.headers["vary"], of(response, "allow-origin")) == ("Origin", [])
