import httpx2
import pytest

from runstead.wire.model import Model
from tests.api.served import Stage, called


async def get_model(model: str) -> Model:
    return Model(id=model)


async def ask(headers: dict[str, str] | dict[bytes, bytes], *allowed: str) -> httpx2.Response:
    async with called(Stage(get_model=get_model), allowed_hosts=allowed) as client:
        return await client.get("/models/m", headers=headers)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8642", "localhost", "LocalHost:1", "[::1]:8642", "127.8.9.1", "app.localhost", "[::1]"],
)
async def test_a_loopback_host_is_allowed(host: str) -> None:
    assert (await ask({"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "a b",
        "[",
        "",
        "evil@127.0.0.2.x",
    ],
)
async def test_another_host_is_refused(host: str) -> None:
    response = await ask({"Host": host})
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "host_not_allowed"
    assert "does not answer to the name" in response.json()["error"]["message"]


async def test_a_configured_host_is_allowed() -> None:
    assert (await ask({"Host": "Runs.Example:80"}, "runs.example")).status_code == 200
    assert (await ask({"Host": "other.example"}, "runs.example")).status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:8642", "https://[::1]"])
async def test_a_loopback_origin_is_allowed(origin: str) -> None:
    assert (await ask({"Origin": origin})).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://localhost.evil.example", "http://é"])
async def test_a_foreign_origin_is_refused(origin: str) -> None:
    response = await ask({b"Origin": origin.encode()})
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "origin_not_allowed"


async def test_health_and_docs_check_the_host_too() -> None:
    async with called(Stage()) as client:
        assert (await client.get("http://evil.example/health")).status_code == 403
