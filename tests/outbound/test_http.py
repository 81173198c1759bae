"""Posts to URLs that a caller chose."""

import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from runstead.outbound.http import HttpOutbound
from runstead.outbound.port import DeliveryError
from tests.llm.fake_upstream import Exchange, fake_upstream
from tests.support.receiver import Receiver, receiver
from tests.support.waiting import within

Make = Callable[..., HttpOutbound]


@pytest.fixture
async def there() -> AsyncIterator[Receiver]:
    async with receiver() as taking:
        yield taking


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes an `HttpOutbound`. Private addresses are allowed unless the test forbids them."""
    made: list[HttpOutbound] = []

    def outbound(**options: Any) -> HttpOutbound:
        made.append(HttpOutbound(**{"allow_private": True, **options}))
        return made[-1]

    yield outbound
    for each in made:
        await each.stop()


def resolving_to(*addresses: str) -> Callable[..., list[Any]]:
    """A lookup that resolves every name to these addresses, one after the other."""
    remaining = list(addresses)

    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        address = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        return socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)

    return lookup


def named(url: str, name: str = "hook.example") -> str:
    return url.replace("127.0.0.1", name)


async def test_a_post_sends_its_body_and_headers(make: Make, there: Receiver) -> None:
    assert await make().post(there.url, {"webhook-id": "evt_1"}, b'{"a":1}') == 200
    [received] = there.requests
    assert (received.path, received.body, received.headers["webhook-id"]) == ("/hook", b'{"a":1}', "evt_1")
    assert received.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [204, 302, 404, 500])
async def test_a_post_returns_the_status_and_follows_no_redirect(make: Make, there: Receiver, status: int) -> None:
    there.statuses = [status]
    assert await make().post(there.url, {}, b"") == status
    assert [each.path for each in there.requests] == ["/hook"]


async def test_a_name_that_resolves_to_a_private_address_is_refused(make: Make, there: Receiver) -> None:
    outbound = make(allow_private=False, lookup=resolving_to("127.0.0.1"))
    outbound.check(named(there.url))
    with pytest.raises(DeliveryError, match="It leads to a private address"):
        await outbound.post(named(there.url), {}, b"")
    assert there.requests == []


@pytest.mark.parametrize("address", ["::ffff:127.0.0.1", "169.254.169.254", "10.1.2.3"])
async def test_a_name_that_resolves_to_another_kind_of_private_address_is_refused(make: Make, address: str) -> None:
    with pytest.raises(DeliveryError, match="It leads to a private address"):
        await make(allow_private=False, lookup=resolving_to(address)).post("http://hook.example/", {}, b"")


async def test_a_private_address_is_posted_to_if_allowed(make: Make, there: Receiver) -> None:
    assert await make(lookup=resolving_to("127.0.0.1")).post(named(there.url), {}, b"") == 200
    assert there.requests[0].headers["Host"] == named(there.url).split("/")[2]


async def test_a_url_is_checked_before_every_post(make: Make, there: Receiver) -> None:
    with pytest.raises(DeliveryError, match="It leads to a private address"):
        await make(allow_private=False).post(there.url, {}, b"")
    assert there.requests == []


async def test_an_address_in_full_width_digits_is_refused(make: Make, there: Receiver) -> None:
    with pytest.raises(DeliveryError):
        await make(allow_private=False).post(named(there.url, "１２７.0.0.1"), {}, b"")
    assert there.requests == []


async def test_a_reply_after_the_timeout_is_an_error(make: Make, there: Receiver) -> None:
    there.hangs = True
    async with within(5):
        with pytest.raises(DeliveryError, match="There was no answer within 0.2 s"):
            await make(timeout=0.2).post(there.url, {}, b"")


async def test_a_flood_of_informational_responses_is_an_error(make: Make) -> None:
    async def flood(exchange: Exchange) -> None:
        while True:
            await exchange.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 50)

    async with fake_upstream(flood) as server, within():
        with pytest.raises(DeliveryError, match="There was no answer that can be read"):
            await make(timeout=1000).post(server.url, {}, b"")


async def test_an_error_names_its_cause_but_no_secrets_of_the_url(make: Make, there: Receiver) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/?token=s3cret"
        with pytest.raises(DeliveryError) as refused:
            await make().post(closed, {}, b"")
    assert str(refused.value) == "It cannot be reached: Connection refused."
    with pytest.raises(DeliveryError) as insecure:
        await make().post(there.url.replace("http", "https") + "?token=s3cret", {}, b"")
    assert str(insecure.value).startswith("No secure connection")

    def unknown(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(DeliveryError) as lost:
        await make(lookup=unknown).post(f"{named(there.url)}?token=s3cret", {}, b"")
    assert str(lost.value) == "Its name is not found."


async def test_proxy_variables_of_the_environment_are_ignored(
    make: Make, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert await make().post(there.url, {}, b"") == 200


def test_aiohttp_is_imported_by_the_first_post_only() -> None:
    code = "import sys, runstead.bootstrap; print('aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
