"""The URL of NATS: its servers and its credentials."""

import pytest

from runstead.broker.nats.address import Address


@pytest.mark.parametrize(
    ("url", "servers", "credentials"),
    [
        ("nats://127.0.0.1", ("nats://127.0.0.1:4222",), (None, None, None)),
        ("nats://[::1]:5/", ("nats://[::1]:5",), (None, None, None)),
        ("tls://a:1,b:2", ("tls://a:1", "tls://b:2"), (None, None, None)),
        ("nats://me:p%40ss@a,b", ("nats://a:4222", "nats://b:4222"), ("me", "p@ss", None)),
        ("nats://secret@a", ("nats://a:4222",), (None, None, "secret")),
    ],
)
def test_an_address_holds_servers_and_credentials(
    url: str, servers: tuple[str, ...], credentials: tuple[str | None, ...]
) -> None:
    address = Address.parse(url)
    assert address.servers == servers
    assert (address.user, address.password, address.token) == credentials
    assert repr(address) == ",".join(servers)


@pytest.mark.parametrize(
    "url", ["", "nats://", "http://a", "nats://a/path", "nats://hush@", "nats://me:hush", "nats://[a"]
)
def test_an_invalid_address_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^The URL of NATS is of the form nats://host:4222, or tls://host:4222\.$"):
        Address.parse(url)
