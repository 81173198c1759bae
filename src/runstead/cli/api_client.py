"""The connection of a command to a server, its arguments and its errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runstead.client import Client

__all__ = ["EPILOG", "URL", "connected"]

URL = click.option("--url", metavar="URL", help="The server. [default: RUNSTEAD_URL, or http://127.0.0.1:8642]")
EPILOG = "The key of the server is read from RUNSTEAD_API_KEY."


@contextmanager
def connected(url: str | None) -> "Iterator[Client]":
    """A client of the server. An error of a file or a pipe ends the command with its message."""
    from runstead import connect

    with connect(url) as client:
        try:
            yield client
        except OSError as error:
            raise click.ClickException(f"{error.filename or 'standard output'}: {error.strerror}") from error
