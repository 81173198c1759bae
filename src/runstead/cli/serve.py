"""`runstead serve`: the server, with its worker, in one process; or one of many."""

import os
from pathlib import Path
from typing import Any

import click

from runstead import config, telemetry
from runstead.cli.options import ALWAYS, BROKER, DATA, DATABASE, MODEL, options

__all__ = ["serve"]


@click.command()
@click.option("--host", metavar="ADDRESS", help="Where to listen. [default: 127.0.0.1]")
@click.option("--port", type=int, metavar="N", help="On which port; 0 takes a free one. [default: 8642]")
@click.option("--roles", metavar="LIST", help="What it does: api answers, worker executes. [default: api,worker]")
@options(DATA, *DATABASE, BROKER, *MODEL, *ALWAYS)
def serve(file: Path | None, **flags: Any) -> None:
    """Serve the Assistants API from this machine.

    Point any official client at it with the base URL http://127.0.0.1:8642/v1 and any key. Everything is kept in one
    folder; after a crash, start it again on the same folder and all runs go on by themselves.

    With a PostgreSQL and a NATS, any number of servers and workers share the runs, on any number of machines.

    \b
    Examples:
      runstead serve
      runstead serve --model-url http://127.0.0.1:11434/v1
      runstead serve --config /etc/runstead.toml --port 9000 --log-level debug
      runstead serve --roles api --model-url http://… \\
        --database postgresql://… --broker nats://…
    """  # noqa: D301 (click's own mark: the lines below stay as they are)
    settings = config.load(file, os.environ, flags)
    telemetry.configure(settings.log_level)

    from runstead.cli.server_process import run  # what is wrong with the settings is said at once

    run(settings)
