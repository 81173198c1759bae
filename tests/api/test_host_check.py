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
        "evil@127.0.0.1",
        "127.0.0.1/evil",
        "localhost:port",
        "localhost:99999",
        "localhost.",
        "[::1",
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


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8642", "http://127.0.0.1:8642"),
        ("127.0.0.1:8642", "http://localhost:8642"),
        ("localhost:8642", "http://[::1]:8642"),
        ("[::1]", "https://[::1]"),
        ("127.0.0.1", "http://localhost:80"),
        ("runs.example", "https://runs.example"),
        ("127.0.0.1:8642", "https://runs.example"),
        ("runs.example:9000", "http://runs.example:9000"),
    ],
)
async def test_a_page_of_this_server_is_allowed(host: str, origin: str) -> None:
    for site in ("same-origin", "same-site", "cross-site"):
        headers = {"Host": host, "Origin": origin, "Sec-Fetch-Site": site}
        assert (await ask(headers, "runs.example")).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "https://localhost.evil.example",
        "http://é",
        "http://localhost:3000",
        "http://localhost",
        "http://evil.localhost",
        "http://127.9.9.9:1",
        "chrome-extension://localhost:8642",
        "http://evil@localhost:8642",
        "http://localhost:8642/",
        "http://localhost:8642 http://evil.example",
        "https://runs.example:444",
        "localhost:8642",
    ],
)
async def test_a_page_of_another_server_is_refused(origin: str) -> None:
    response = await ask({b"Host": b"localhost:8642", b"Origin": origin.encode()}, "runs.example")
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "origin_not_allowed"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_request_of_another_site_without_an_origin_is_refused_unless_the_user_follows_a_link(site: str) -> None:
    async with called(Stage(get_model=get_model)) as client:
        foreign = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
        link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        frame = link | {"Sec-Fetch-Dest": "iframe"}
        assert (await client.get("/models/m", headers=foreign)).status_code == 403
        assert (await client.get("/models/m", headers=frame)).status_code == 403
        assert (await client.get("/models/m", headers=link)).status_code == 200
        assert (await client.post("/webhook_endpoints", headers=link)).status_code == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_a_request_of_the_user_or_of_a_page_of_this_server_is_allowed(site: str) -> None:
    assert (await ask({"Sec-Fetch-Site": site})).status_code == 200


async def test_health_and_docs_check_the_host_too() -> None:
    async with called(Stage()) as client:
        assert (await client.get("http://evil.example/health")).status_code == 403
