"""`runstead check`: what a database holds, held against what must be true of it."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runstead import config, telemetry
from runstead.cli.options import ALWAYS, DATA, DATABASE, options

if TYPE_CHECKING:
    from runstead.engine.check import Examined

__all__ = ["check"]


@click.command()
@click.option("--drained", is_flag=True, help="All workers have stopped: a run that is still at work is wrong too.")
@options(DATA, *DATABASE, *ALWAYS)
def check(file: Path | None, drained: bool, **flags: Any) -> None:
    """Read every run, and say what is wrong; end with 1 if anything is.

    A PostgreSQL may be in use meanwhile. A folder must not be: stop its server first, or check a copy. Nothing is
    changed.

    \b
    Examples:
      runstead check --data /var/lib/runstead
      runstead check --database postgresql://… --drained
    """  # noqa: D301 (click's own mark: the lines below stay as they are)
    settings = config.load(file, os.environ, flags)
    telemetry.configure(settings.log_level)

    from runstead import bootstrap

    examined = asyncio.run(bootstrap.check(settings, click.echo, drained=drained))
    click.echo(_summary(examined))
    if examined.violations:
        sys.exit(1)


def _summary(examined: "Examined") -> str:
    runs, active = _count(examined.runs, "run"), f"({examined.active:,} of them active)"
    counted = [_count(examined.steps, "step"), _count(examined.messages, "message"), _count(examined.events, "event")]
    lines = [f"Examined {runs} {active}, {', '.join(counted)}: {_count(examined.violations, 'violation')}."]
    if examined.to_recover == 1:
        lines.append("1 run is held by a worker that is gone: the next one takes it over.")
    elif examined.to_recover:
        lines.append(f"{examined.to_recover:,} runs are held by workers that are gone: the next one takes them over.")
    if examined.deleted:
        lines.append(f"Deleted since: {_count(examined.deleted, 'message')}.")
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
