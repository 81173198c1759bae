"""Credentials in a URL travel only encrypted, and only to a server whose certificate is trusted."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runstead.broker.nats import NatsBroker
from tests.support.nats import NatsServer

MAKE = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is needed to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run([*MAKE.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = NatsServer(
        tmp_path / "nats",
        "--tls",
        "--tlscert",
        str(certificate),
        "--tlskey",
        str(key),
        "--user",
        "me",
        "--pass",
        "hush",
    )
    server.start()
    yield server
    server.kill()


async def connects(url: str) -> bool:
    broker = NatsBroker(url)
    await broker.start()
    try:
        return broker.connected
    finally:
        await broker.stop()


async def test_a_tls_server_is_used_if_its_certificate_is_trusted(
    server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("runstead.broker.nats.connection.TIMEOUT", 1)
    url = server.url.replace("nats://", "tls://me:hush@")
    assert not await connects(url)
    assert "certificate verify failed" in caplog.text
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    assert await connects(url)
    assert "hush" not in caplog.text


async def test_no_credentials_go_to_a_server_without_tls(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("runstead.broker.nats.connection.TIMEOUT", 1)
    assert not await connects(nats.url.replace("nats://", "tls://me:hush@"))
    assert "The URL says tls://, but the server does not encrypt." in caplog.text
