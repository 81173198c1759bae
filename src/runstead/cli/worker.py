"""`runstead worker`: a process that executes runs and answers nobody."""

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
    """Execute runs that servers on the same database take in.

    Start as many as you like, on any machine. One that is told to stop (SIGTERM) hands its runs back; one that dies is
    missed within seconds, and others go on with its runs.

    \b
    Example:
      runstead worker --model-url http://… \\
        --database postgresql://… --broker nats://…
    """  # noqa: D301 (click's own mark: the lines below stay as they are)
    settings = config.load(file, os.environ, flags | {"roles": "worker"})
    telemetry.configure(settings.log_level)

    from runstead.cli.worker_process import run  # what is wrong with the settings is said at once

    run(settings)
