"""Private addresses and invalid URLs are refused, in every spelling."""

from ipaddress import ip_address

import pytest

from runstead.outbound.address_guard import check_url, is_public, parse_ip
from runstead.outbound.port import DeliveryError

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.9.9.9 169.254.0.1 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
168.63.129.16 192.0.0.8 192.0.0.192 192.0.0.255 192.31.196.1 192.52.193.1 192.175.48.1
100.100.100.200 224.0.0.1 224.0.1.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::2 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1
100::1 2001::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 2002:a9fe:a9fe::1 3fff::1 4000::1 5f00::1
2620:4f:8000::1 3ffe::1 2002:a83f:8110:: 64:ff9b::a83f:8110 ::ffff:192.0.0.192
fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1
"""
PUBLIC = """
1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.169.0.1 198.17.0.1 198.20.0.1 223.255.255.1
168.63.129.15 168.63.129.17 192.0.1.1 192.0.3.1 11.0.0.1 9.255.255.255 128.0.0.1 126.255.255.255
2606:4700:4700::1111 2a00:1450:4001::1 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_a_private_or_reserved_address_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_a_global_address_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0177.0.0.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001"]
)
def test_an_ip_address_is_recognised_in_every_spelling(host: str) -> None:
    assert parse_ip(host) == ip_address("127.0.0.1")


@pytest.mark.parametrize(
    "host", ["example.com", "localhost", "127.0.0.1.example.com", "xn--nxasmq6b", "a" * 300, "\udc80"]
)
def test_a_host_name_is_not_an_ip_address(host: str) -> None:
    assert parse_ip(host) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.0.0.1:8642/v1", "https://10.0.0.1", "http://[::1]/", "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data", "http://2130706433/", "http://0x7f.1/", "http://127.1", "http://0/",
        "http://localhost/", "http://LOCALHOST.:80/", "http://any.localhost/",
    ],
)  # fmt: skip
def test_a_private_url_is_refused_unless_private_addresses_are_allowed(url: str) -> None:
    with pytest.raises(DeliveryError, match="It leads to a private address"):
        check_url(url, allow_private=False)
    check_url(url, allow_private=True)


@pytest.mark.parametrize("allow_private", [True, False])
@pytest.mark.parametrize(
    ("url", "words"),
    {
        "ftp://example.com/": "must begin with 'https://' or 'http://'",
        "file:///etc/passwd": "must begin with 'https://' or 'http://'",
        "example.com/hook": "must begin with 'https://' or 'http://'",
        "https:///hook": "must begin with 'https://' or 'http://'",
        "https://user:word@example.com/": "no user and no password",
        "https://example.com@8.8.8.8/": "no user and no password",
        "https://example.com/a b": "no spaces",
        "https://example.com\\@8.8.8.8/": "no spaces, backslashes",
        "https://example.com/\x7f": "control characters",
        "https://example.com:99999/": "no URL",
        "https://[::1/": "no URL",
    }.items(),
)
def test_an_invalid_url_is_refused_with_its_fault(url: str, words: str, allow_private: bool) -> None:
    with pytest.raises(DeliveryError, match=words):
        check_url(url, allow_private=allow_private)


@pytest.mark.parametrize(
    "url",
    ["https://example.com/hook?token=1", "http://example.com:8080", "https://8.8.8.8/", "https://bücher.example/"],
)
def test_a_public_url_is_accepted(url: str) -> None:
    check_url(url, allow_private=False)
