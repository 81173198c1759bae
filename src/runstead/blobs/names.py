"""The names of blobs. The server makes them, and they are safe in paths and URLs."""

import re

__all__ = ["checked"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)


def checked(name: str) -> str:
    """The name itself. `ValueError` if it could mean another place."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"no blob can have the name {name[:64]!r}")
    return name
