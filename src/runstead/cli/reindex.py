"""`runstead reindex`: read, cut and embed all files of all vector stores once more."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runstead import config, telemetry
from runstead.cli.options import ALWAYS, DATA, DATABASE, options

if TYPE_CHECKING:
    from collections.abc import Callable

    from runstead.engine.ingestion.reindex import Reindexed

__all__ = ["reindex"]


@click.command()
@options(DATA, *DATABASE, *ALWAYS)
def reindex(file: Path | None, **flags: Any) -> None:
    """Index all files of all vector stores once more.

    It is needed after another embedding model was configured, or after the index was lost. Texts that were read before
    are not read again. A PostgreSQL database may be in use meanwhile, by servers with the same embedding model. A data
    folder must not be: stop its server first. If the command is interrupted, servers go on with what is left.

    \b
    Examples:
      runstead reindex --data /var/lib/runstead
      runstead reindex --database postgresql://…
    """  # noqa: D301 (\b stops click from rewrapping the lines below)
    settings = config.load(file, os.environ, flags)
    telemetry.configure(settings.log_level)

    from runstead import bootstrap

    with _bar() as progress:
        files = asyncio.run(bootstrap.reindex(settings, progress))
    click.echo(f"Indexed {files:,} file{'' if files == 1 else 's'}.")


@contextmanager
def _bar() -> "Iterator[Callable[[Reindexed], object]]":
    """A progress bar on the standard error, if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:
        task = bars.add_task("Indexing", total=None)
        yield lambda seen: bars.update(task, total=seen.files, completed=max(0, seen.files - seen.left))
