"""A certificate of the loopback address, signed by itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["certificate"]


def certificate(folder: Path, passphrase: str | None = None) -> tuple[Path, Path]:
    """The files of a new certificate for 127.0.0.1 and of its key. Skips the test where `openssl` is missing."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    name = "plain" if passphrase is None else "sealed"
    file, key = folder / f"{name}.pem", folder / f"{name}.key"
    secrecy = ["-nodes"] if passphrase is None else ["-passout", f"pass:{passphrase}"]
    subprocess.run(
        [
            "openssl", "req", "-x509", "-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            *secrecy, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out", file, "-keyout", key,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return file, key
