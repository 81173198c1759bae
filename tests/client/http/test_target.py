"""A server's URL may have the version or not. The API key is never shown."""

import pytest

from runstead.client.http.target import Target


@pytest.mark.parametrize(
    ("url", "whole", "host", "port"),
    [
        ("http://127.0.0.1:8642", "http://127.0.0.1:8642/v1", "127.0.0.1", 8642),
        ("http://127.0.0.1:8642/v1/", "http://127.0.0.1:8642/v1", "127.0.0.1", 8642),
        ("https://example.org", "https://example.org/v1", "example.org", 443),
        ("https://example.org/a/b/v1", "https://example.org/a/b/v1", "example.org", 443),
        ("http://[::1]:80", "http://[::1]:80/v1", "::1", 80),
        ("http://bücher.example", "http://bücher.example/v1", "xn--bcher-kva.example", 80),
    ],
)
def test_a_url_names_host_port_and_prefix(url: str, whole: str, host: str, port: int) -> None:
    target = Target(url)
    assert (target.url, target.host, target.port) == (whole, host, port)
    assert whole.endswith(target.prefix)


@pytest.mark.parametrize(
    "url", ["", "localhost:8642", "ftp://x", "http://", "http://u:p@x", "http://x?a=b", "http://x#a"]
)
def test_an_invalid_server_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Target(url)


def test_the_repr_hides_the_api_key() -> None:
    assert repr(Target("http://x", "sk-secret")) == "Target('http://x/v1')"


@pytest.mark.parametrize("key", ["sk-ü", "a\nb", "a\r\nX: y"])
def test_an_api_key_not_allowed_in_headers_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="not allowed") as refused:
        Target("http://x", key)
    assert key not in str(refused.value)


@pytest.mark.parametrize("url", ["http://:secret@x", "ftp://me:secret@x", "http://secret@x"])
def test_a_password_in_a_url_is_not_shown(url: str) -> None:
    with pytest.raises(ValueError, match="URL") as refused:
        Target(url)
    assert "secret" not in str(refused.value)


def test_spaces_around_an_api_key_are_not_sent() -> None:
    headers = dict(Target("http://x", " sk-secret ", {"X-Mine": " a "}).headers)
    assert headers[b"Authorization"] == b"Bearer sk-secret"
    assert headers[b"X-Mine"] == b"a"


@pytest.mark.parametrize("name", ["a b", "", "a:", "ä"])
def test_a_header_name_not_allowed_in_http_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        Target("http://x", headers={name: "sk-secret"})


def test_secrets_are_the_key_and_the_values_of_headers_with_and_without_their_scheme() -> None:
    own = {"Authorization": "Basic dXNlcjpwdw==", "X-Token": "a-token-of-mine", "Accept": "text/event-stream"}
    sanitize = Target("http://x", "sk-secret", own).sanitize
    assert sanitize("sk-secret dXNlcjpwdw== a-token-of-mine") == "[secret] [secret] [secret]"
    assert sanitize("text/event-stream") == "text/event-stream"
