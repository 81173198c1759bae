"""`runstead files`: upload, list, read and delete the files of a server, as a client of its API."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from runstead.cli.api_client import EPILOG, URL, connected

if TYPE_CHECKING:
    from runstead import File

__all__ = ["Track", "files"]

Track: TypeAlias = Callable[[str, int], AbstractContextManager[Callable[[int], object]]]
"""Begins the bar of a file of so many bytes, and gives the function that moves it."""


@click.group(epilog=EPILOG)
def files() -> None:
    """Upload, list, read and delete the files of a server."""


@files.command(epilog=EPILOG)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--purpose", default="assistants", show_default=True, help="What the files are for.")
@click.option("--expires-after", type=int, metavar="SECONDS", help="3600 to 2592000. [default: never]")
@URL
def upload(paths: tuple[Path, ...], purpose: str, expires_after: int | None, url: str | None) -> None:
    """Upload the files at these PATHS, and print the id of each."""
    with connected(url) as client, _progress() as track:
        for path in paths:
            with track(path.name, path.stat().st_size) as progress:
                file = client.upload_file(path, purpose, expires_after=expires_after, progress=progress)
            click.echo(_line(file))


@files.command("list", epilog=EPILOG)
@click.option("--purpose", help="Only files of this purpose.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest N files. [default: all]")
@URL
def list_(purpose: str | None, limit: int | None, url: str | None) -> None:
    """List the files, newest first: id, bytes, purpose and name."""
    with connected(url) as client:
        page = client.files(min(limit or 1000, 1000), purpose=purpose)
        for place, file in enumerate(page):
            if place == limit:
                break
            click.echo(_line(file))


@files.command(epilog=EPILOG)
@click.argument("file_id", metavar="ID")
@URL
def get(file_id: str, url: str | None) -> None:
    """Print the metadata of a file, as JSON."""
    import msgspec

    with connected(url) as client:
        click.echo(msgspec.json.format(msgspec.json.encode(client.get_file(file_id))))


@files.command(epilog=EPILOG)
@click.argument("file_id", metavar="ID")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="[default: standard output]"
)
@URL
def content(file_id: str, output: Path | None, url: str | None) -> None:
    """Write the content of a file to FILE, or to the standard output."""
    with connected(url) as client:
        download = client.file_content(file_id)
        if output is not None:
            download.save(output)
            return
        for chunk in download:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


@files.command(epilog=EPILOG)
@click.argument("file_ids", metavar="ID...", nargs=-1, required=True)
@URL
def delete(file_ids: tuple[str, ...], url: str | None) -> None:
    """Delete files with their content."""
    with connected(url) as client:
        for file_id in file_ids:
            client.delete_file(file_id)
            click.echo(f"deleted {file_id}")


def _line(file: "File") -> str:
    from runstead.wire.control_characters import escape_control

    return escape_control(f"{file.id}  {file.bytes:>12,}  {file.purpose:<16}  {file.filename}")


@contextmanager
def _progress() -> Iterator[Track]:
    """Progress bars on the standard error, if that is a terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:

        @contextmanager
        def track(name: str, size: int) -> Iterator[Callable[[int], object]]:
            task = bars.add_task(escape(name), total=size)
            yield lambda sent: bars.update(task, completed=sent)
            bars.remove_task(task)

        yield track
