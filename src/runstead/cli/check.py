"""`runstead check`: verify the invariants of a database."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runstead import config, telemetry
from runstead.cli.options import ALWAYS, DATA, DATABASE, options
from runstead.wire.control_characters import escape_control

if TYPE_CHECKING:
    from runstead.domain.invariants.record import Violation
    from runstead.engine.check import Examined

__all__ = ["check"]


@click.command()
@click.option("--drained", is_flag=True, help="All workers have stopped, so a run in progress is a violation too.")
@options(DATA, *DATABASE, *ALWAYS)
def check(file: Path | None, drained: bool, **flags: Any) -> None:
    """Check every run in the database. Exits with 1 if an invariant is violated.

    The check only reads. A PostgreSQL database may be in use during the check. A data folder must not be: stop its
    server first, or check a copy.

    \b
    Examples:
      runstead check --data /var/lib/runstead
      runstead check --database postgresql://… --drained
    """  # noqa: D301 (\b stops click from rewrapping the lines below)
    settings = config.load(file, os.environ, flags)
    telemetry.configure(settings.log_level)

    from runstead import bootstrap

    examined = asyncio.run(bootstrap.check(settings, _show, drained=drained))
    click.echo(_summary(examined))
    if examined.violations:
        sys.exit(1)


def _show(violation: "Violation") -> None:
    click.echo(escape_control(str(violation)))


def _summary(examined: "Examined") -> str:
    runs, active = _count(examined.runs, "run"), f"({examined.active:,} of them active)"
    counted = [_count(examined.steps, "step"), _count(examined.messages, "message"), _count(examined.events, "event")]
    counted += [_count(examined.files, "file"), _count(examined.vector_stores, "vector store")]
    lines = [f"Examined {runs} {active}, {', '.join(counted)}: {_count(examined.violations, 'violation')}."]
    if examined.to_recover == 1:
        lines.append("1 run is owned by an expired worker: the next worker recovers it.")
    elif examined.to_recover:
        lines.append(f"{examined.to_recover:,} runs are owned by expired workers: the next worker recovers them.")
    if examined.deleted:
        lines.append(f"Deleted during the check: {_count(examined.deleted, 'message')}.")
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
