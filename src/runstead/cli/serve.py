"""`runstead serve`: the server, with its worker, in one process."""

import os
from pathlib import Path
from typing import Any

import click

from runstead import config, telemetry

__all__ = ["serve"]


@click.command()
@click.option("--host", metavar="ADDRESS", help="Where to listen. [default: 127.0.0.1]")
@click.option("--port", type=int, metavar="N", help="On which port; 0 takes a free one. [default: 8642]")
@click.option("--data", metavar="DIR", help="The folder of the database, made if missing. [default: ./runstead-data]")
@click.option(
    "--model-url",
    metavar="URL",
    help="A server of chat completions, such as http://127.0.0.1:8000/v1. "
    "[default: the embedded model, for trying out]",
)
@click.option("--model-key", metavar="KEY", help="Its key. Better in RUNSTEAD_MODEL_KEY: flags are seen by others.")
@click.option("--model-path", metavar="FILE", help="Another GGUF file for the embedded model.")
@click.option("--script", metavar="FILE", help="Let a script answer instead of a model: for tests and trials.")
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings in TOML; the environment (RUNSTEAD_…) and flags go before them.",
)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="[default: info]")
def serve(file: Path | None, **flags: Any) -> None:
    """Serve the Assistants API from this machine.

    Point any official client at it with the base URL http://127.0.0.1:8642/v1 and any key. Everything is kept in one
    folder; after a crash, start it again on the same folder and all runs go on by themselves.

    \b
    Examples:
      runstead serve
      runstead serve --model-url http://127.0.0.1:11434/v1
      runstead serve --config /etc/runstead.toml --port 9000 --log-level debug
    """  # noqa: D301 (click's own mark: the lines below stay as they are)
    settings = config.load(file, os.environ, flags)
    telemetry.configure(settings.log_level)

    from runstead.cli.server import run  # what is wrong with the settings is said at once

    run(settings)
