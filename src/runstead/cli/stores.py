"""`runstead stores`: make vector stores, add files and folders to them, and search, as a client of a server's API."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runstead.cli.api_client import EPILOG, URL, connected

if TYPE_CHECKING:
    from runstead import StoreFile, VectorStore
    from runstead.client import Client

__all__ = ["stores"]

_BATCH = 100
"""Files that are added in one call."""
_PATIENCE = 24 * 3600.0
"""Seconds that the command waits for its files."""


@click.group(epilog=EPILOG)
def stores() -> None:
    """Make vector stores, add files and folders to them, and search."""


@stores.command(epilog=EPILOG)
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 365), metavar="N", help="Expire N days after the last use.")
@URL
def create(name: str, days: int | None, url: str | None) -> None:
    """Create a vector store, and print its id."""
    from runstead import UNSET, StoreExpiry, VectorStoreRequest

    expiry = UNSET if days is None else StoreExpiry(anchor="last_active_at", days=days)
    with connected(url) as client:
        click.echo(client.create_vector_store(VectorStoreRequest(name=name, expires_after=expiry)).id)


@stores.command("list", epilog=EPILOG)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest N stores. [default: all]")
@URL
def list_(limit: int | None, url: str | None) -> None:
    """List the vector stores, newest first: id, status, files, bytes and name."""
    with connected(url) as client:
        for place, store in enumerate(client.vector_stores(min(limit or 100, 100))):
            if place == limit:
                break
            _say(_store_line(store))


@stores.command(epilog=EPILOG)
@click.argument("store_id", metavar="STORE")
@URL
def get(store_id: str, url: str | None) -> None:
    """Print a vector store with its counts, as JSON."""
    import msgspec

    with connected(url) as client:
        click.echo(msgspec.json.format(msgspec.json.encode(client.get_vector_store(store_id))))


@stores.command(epilog=EPILOG)
@click.argument("store_ids", metavar="STORE...", nargs=-1, required=True)
@URL
def delete(store_ids: tuple[str, ...], url: str | None) -> None:
    """Delete vector stores. Their files remain."""
    with connected(url) as client:
        for store_id in store_ids:
            client.delete_vector_store(store_id)
            click.echo(f"deleted {store_id}")


@stores.command(epilog=EPILOG)
@click.argument("store_id", metavar="STORE")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@URL
def add(store_id: str, paths: tuple[Path, ...], url: str | None) -> None:
    """Upload the files at these PATHS, and all files in folders among them, and add them to a vector store.

    Hidden files and folders are left out. The command waits until every file can be searched, prints the files that
    cannot be, with the reason, and then exits with 1.
    """
    found = [file for path in paths for file in _files_at(path)]
    if not found:
        raise click.ClickException("There are no files at these paths.")
    with connected(url) as client, _bars() as bars:
        client.get_vector_store(store_id)  # an unknown one is an error before anything is uploaded
        added = _upload(client, store_id, found, bars)
        failed = _failed(client, store_id, added)
    for file_id, reason in failed:
        _say(f"{added[file_id]}: {reason}")
    click.echo(f"{len(added) - len(failed):,} of {len(added):,} files can be searched.")
    if failed:
        sys.exit(1)


@stores.command(epilog=EPILOG)
@click.argument("store_id", metavar="STORE")
@click.option("--status", type=click.Choice(["in_progress", "completed", "failed", "cancelled"]))
@URL
def files(store_id: str, status: Any, url: str | None) -> None:
    """List the files of a vector store: id, status, bytes, and why one failed."""
    with connected(url) as client:
        for file in client.store_files(store_id, 100, filter=status):
            _say(_file_line(file))


@stores.command(epilog=EPILOG)
@click.argument("store_id", metavar="STORE")
@click.argument("query")
@click.option(
    "--limit", type=click.IntRange(1, 50), default=5, show_default=True, metavar="N", help="At most N passages."
)
@URL
def search(store_id: str, query: str, limit: int, url: str | None) -> None:
    """Print the passages of a vector store that answer QUERY best, each with its file and place."""
    from runstead import SearchRequest

    with connected(url) as client:
        page = client.search_vector_store(store_id, SearchRequest(query=query, max_num_results=limit))
    for result in page.data:
        place = ", ".join(part for part in (result.filename, result.place, result.heading) if part)
        _say(f"{result.score:.2f}  {place}")
        for part in result.content:
            _say("\n".join(f"      {line}" for line in part.text.splitlines()))
        click.echo()
    if not page.data:
        click.echo("Nothing was found.")


def _files_at(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for each in sorted(path.iterdir()):
        if not each.name.startswith(".") and (each.is_file() or (each.is_dir() and not each.is_symlink())):
            yield from _files_at(each)


def _upload(client: "Client", store_id: str, paths: Sequence[Path], bars: Any) -> dict[str, Path]:
    """Upload files and add them, a batch at a time, then wait for the store. The paths by the ids of their files."""
    from runstead import FileBatchRequest

    added: dict[str, Path] = {}
    uploading = bars.add_task("Uploading", total=len(paths))
    for start in range(0, len(paths), _BATCH):
        batch = {}
        for path in paths[start : start + _BATCH]:
            batch[client.upload_file(path).id] = path
            bars.advance(uploading)
        client.create_file_batch(store_id, FileBatchRequest(file_ids=list(batch)))
        added |= batch
    indexing = bars.add_task("Indexing", total=len(paths))

    def progress(store: "VectorStore") -> None:
        bars.update(indexing, completed=max(0, len(paths) - store.file_counts.in_progress))

    client.wait_for_vector_store(store_id, _PATIENCE, progress)
    return added


def _failed(client: "Client", store_id: str, added: dict[str, Path]) -> list[tuple[str, str]]:
    """The added files that cannot be searched, each with the reason."""
    files = (
        *client.store_files(store_id, 100, filter="failed"),
        *client.store_files(store_id, 100, filter="cancelled"),
    )
    return [
        (file.id, "cancelled" if file.last_error is None else file.last_error.message)
        for file in files
        if file.id in added
    ]


def _store_line(store: "VectorStore") -> str:
    counts = store.file_counts
    files = f"{counts.completed:,} of {counts.total:,} files"
    return f"{store.id}  {store.status:<11}  {files:>18}  {store.usage_bytes:>14,}  {store.name or ''}"


def _file_line(file: "StoreFile") -> str:
    reason = "" if file.last_error is None else f"{file.last_error.code}: {file.last_error.message}"
    return f"{file.id}  {file.status:<11}  {file.usage_bytes:>12,}  {reason}".rstrip()


def _say(text: str) -> None:
    from runstead.wire.control_characters import escape_control

    click.echo(escape_control(text, keep="\n"))


@contextmanager
def _bars() -> Iterator[Any]:
    """Progress bars on the standard error, if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:
        yield bars
