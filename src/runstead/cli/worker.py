"""`runstead worker`: a process that executes runs and serves no API."""

import os
from pathlib import Path
from typing import Any

import click

from runstead import config, telemetry
from runstead.cli.options import ALWAYS, BROKER, DATABASE, MODEL, options

__all__ = ["worker"]


@click.command()
@options(*DATABASE, BROKER, *MODEL, *ALWAYS)
def worker(file: Path | None, **flags: Any) -> None:
    """Execute the runs of servers on the same database.

    Start any number of workers, on any machine. A worker that receives SIGTERM releases its runs and exits. If a worker
    dies, other workers recover its runs within seconds.

    \b
    Example:
      runstead worker --model-url http://… \\
        --database postgresql://… --broker nats://…
    """  # noqa: D301 (\b stops click from rewrapping the lines below)
    settings = config.load(file, os.environ, flags | {"roles": "worker"})
    telemetry.configure(settings.log_level)

    from runstead.cli.worker_process import run  # slow to import: errors in the settings are reported first

    run(settings)
