"""`runstead migrate`: the database, brought up to date before the processes that need it so."""

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
@click.option("--check", is_flag=True, help="Change nothing; end with 1 if there was something to do.")
@options(DATA, *DATABASE, *ALWAYS)
def migrate(file: Path | None, check: bool, **flags: Any) -> None:
    """Bring the database up to date for this version.

    Servers and workers do it themselves when they start. Doing it before spares them the time: those that run go on
    meanwhile, and are then replaced one by one.

    \b
    Examples:
      runstead migrate --database postgresql://…
      runstead migrate --database postgresql://… --check
    """  # noqa: D301 (click's own mark: the lines below stay as they are)
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
