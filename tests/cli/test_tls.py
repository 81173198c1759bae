"""A server with a certificate of its own."""

import json
import socket
import ssl
from pathlib import Path
from urllib.request import urlopen

import pytest

from runstead import RunsteadError
from runstead.cli.tls import server_context
from tests.cli.conftest import QUICK, Serve
from tests.support.certificate import certificate
from tests.support.waiting import PATIENCE


def test_a_server_with_a_certificate_serves_https(serve: Serve, tmp_path: Path) -> None:
    file, key = certificate(tmp_path)
    served = serve(QUICK, "--tls-cert", str(file), "--tls-key", str(key))
    assert served.url.startswith("https://127.0.0.1:")
    trusting = ssl.create_default_context(cafile=file)
    with urlopen(served.url + "/health", timeout=PATIENCE, context=trusting) as health:
        assert json.load(health)["status"] == "ok"


def test_bytes_that_are_not_http_are_refused_in_words_over_tls_too(serve: Serve, tmp_path: Path) -> None:
    file, key = certificate(tmp_path)
    served = serve(QUICK, "--tls-cert", str(file), "--tls-key", str(key))
    port = int(served.url.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE) as plain,
        ssl.create_default_context(cafile=file).wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(b"not http\r\n\r\n")
        assert connection.recv(1024).startswith(b"HTTP/1.1 400")


def test_the_key_may_be_in_the_file_of_the_certificate(tmp_path: Path) -> None:
    file, key = certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.write_text(file.read_text() + key.read_text())
    assert server_context(str(both), None) is not None


def test_without_a_certificate_there_is_no_tls() -> None:
    assert server_context(None, None) is None


def test_a_certificate_that_cannot_be_used_is_an_error_in_words(tmp_path: Path) -> None:
    file, _ = certificate(tmp_path)
    _, sealed = certificate(tmp_path, "hush")
    (tmp_path / "other").mkdir()
    _, other = certificate(tmp_path / "other")
    for cert, key, words in [
        (None, "x.key", "tls_key is set without tls_cert"),
        (str(tmp_path / "none.pem"), None, "Cannot use the certificate in .*none.pem: No such file or directory"),
        (str(file), None, "Cannot use the certificate in .*plain.pem: "),
        (str(file), str(other), "Cannot use the certificate in .*plain.pem and .*plain.key: "),
        (str(file), str(sealed), "the key has a passphrase, which is not supported"),
    ]:
        with pytest.raises(RunsteadError, match=words):
            server_context(cert, key)
