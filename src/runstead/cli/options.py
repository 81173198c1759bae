"""The flags that commands share: where things are kept, who speaks for the model, and what is always there."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import click

__all__ = ["ALWAYS", "BROKER", "DATA", "DATABASE", "MODEL", "options"]

Command: TypeAlias = Callable[..., None]
Option: TypeAlias = Callable[[Command], Command]

DATA: Option = click.option(
    "--data", metavar="DIR", help="The folder of the database, made if missing. [default: ./runstead-data]"
)
DATABASE: tuple[Option, ...] = (
    click.option(
        "--database",
        metavar="URL",
        help="A PostgreSQL, for several processes: postgresql://user:password@host/database. "
        "Better in RUNSTEAD_DATABASE: flags are seen by others.",
    ),
    click.option(
        "--installation",
        metavar="NAME",
        help="What is ours there: a schema of PostgreSQL, names of NATS. [default: runstead]",
    ),
)
BROKER: Option = click.option(
    "--broker", metavar="URL", help="NATS, for several processes: nats://host:4222. [default: none, for one]"
)
MODEL: tuple[Option, ...] = (
    click.option(
        "--model-url",
        metavar="URL",
        help="A server of chat completions, such as http://127.0.0.1:8000/v1. "
        "[default: the embedded model, for trying out]",
    ),
    click.option("--model-key", metavar="KEY", help="Its key. Better in RUNSTEAD_MODEL_KEY: flags are seen by others."),
    click.option("--model-path", metavar="FILE", help="Another GGUF file for the embedded model."),
    click.option("--script", metavar="FILE", help="Let a script answer instead of a model: for tests and trials."),
)
ALWAYS: tuple[Option, ...] = (
    click.option(
        "--config",
        "file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Settings in TOML; the environment (RUNSTEAD_…) and flags go before them.",
    ),
    click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="[default: info]"),
)


def options(*chosen: Option) -> Option:
    """A command with these options, in this order."""

    def add(command: Command) -> Command:
        for option in reversed(chosen):
            command = option(command)
        return command

    return add
