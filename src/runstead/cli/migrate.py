"""`runstead migrate`: apply the database migrations of this version, or list the missing ones."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import click

from runstead import config, telemetry
from runstead.cli.options import ALWAYS, DATA, DATABASE, options

__all__ = ["migrate"]


@click.command()
@click.option("--check", is_flag=True, help="Change nothing. Exit with 1 if migrations are missing.")
@options(DATA, *DATABASE, *ALWAYS)
def migrate(file: Path | None, check: bool, **flags: Any) -> None:
    """Apply the database migrations of this version.

    Servers and workers apply missing migrations when they start. This command applies them before an upgrade, so that
    new processes start faster. Processes of the old version keep running, and can then be replaced one by one.

    \b
    Examples:
      runstead migrate --database postgresql://…
      runstead migrate --database postgresql://… --check
    """  # noqa: D301 (\b stops click from rewrapping the lines below)
    settings = config.load(file, os.environ, flags)
    telemetry.configure(settings.log_level)

    from runstead import bootstrap

    missing = asyncio.run(bootstrap.migrate(settings, check=check))
    if not missing:
        click.echo("Up to date.")
        return
    for name in missing:
        click.echo(f"{'Missing' if check else 'Applied'}: {name}")
    if check:
        sys.exit(1)
