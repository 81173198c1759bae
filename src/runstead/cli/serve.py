"""`runstead serve`: an API server, with a worker in the same process unless `--roles api`."""

import os
from pathlib import Path
from typing import Any

import click

from runstead import config, telemetry
from runstead.cli.options import ALWAYS, BROKER, DATA, DATABASE, MODEL, options

__all__ = ["serve"]


@click.command()
@click.option("--host", metavar="ADDRESS", help="The address to listen on. [default: 127.0.0.1]")
@click.option("--port", type=int, metavar="N", help="The port to listen on; 0 picks a free one. [default: 8642]")
@click.option("--tls-cert", metavar="FILE", help="A certificate, to serve https instead of http. [default: http]")
@click.option("--tls-key", metavar="FILE", help="The certificate's key, if it is in a file of its own.")
@click.option("--roles", metavar="LIST", help="api answers requests, worker executes runs. [default: api,worker]")
@options(DATA, *DATABASE, BROKER, *MODEL, *ALWAYS)
def serve(file: Path | None, **flags: Any) -> None:
    """Serve the Assistants API from this machine.

    Point any official client at it with the base URL http://127.0.0.1:8642/v1 and any key. All data is stored in one
    folder. After a crash, start the server again on the same folder: all runs continue by themselves.

    With PostgreSQL and NATS, any number of servers and workers share the runs, on any number of machines.

    \b
    Examples:
      runstead serve
      runstead serve --model-url http://127.0.0.1:11434/v1
      runstead serve --config /etc/runstead.toml --port 9000 --log-level debug
      runstead serve --roles api --model-url http://… \\
        --database postgresql://… --broker nats://…
    """  # noqa: D301 (\b stops click from rewrapping the lines below)
    settings = config.load(file, os.environ, flags)
    telemetry.configure(settings.log_level)

    from runstead.cli.server_process import run  # slow to import: errors in the settings are reported first

    run(settings)
