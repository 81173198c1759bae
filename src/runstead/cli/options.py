"""The options that several commands share: data, database, broker, model, and the general ones."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import click

__all__ = ["ALWAYS", "BROKER", "DATA", "DATABASE", "MODEL", "options"]

Command: TypeAlias = Callable[..., None]
Option: TypeAlias = Callable[[Command], Command]

DATA: Option = click.option(
    "--data", metavar="DIR", help="The folder of the database, created if missing. [default: ./runstead-data]"
)
DATABASE: tuple[Option, ...] = (
    click.option(
        "--database",
        metavar="URL",
        help="A PostgreSQL database, for several processes: postgresql://user:password@host/database. "
        "RUNSTEAD_DATABASE is safer: other users of the machine can see flags.",
    ),
    click.option(
        "--installation",
        metavar="NAME",
        help="The PostgreSQL schema, and the prefix of NATS names. [default: runstead]",
    ),
)
BROKER: Option = click.option(
    "--broker", metavar="URL", help="NATS servers, for several processes: nats://host:4222. [default: in-process]"
)
MODEL: tuple[Option, ...] = (
    click.option(
        "--model-url",
        metavar="URL",
        help="A chat completions server, such as http://127.0.0.1:8000/v1. [default: the embedded model, for trials]",
    ),
    click.option(
        "--model-preset",
        metavar="NAME",
        help="The kind of model server: openai, azure, anthropic, gemini, mistral, … [default: found by its URL]",
    ),
    click.option(
        "--model-key",
        metavar="KEY",
        help="The API key of the model server. RUNSTEAD_MODEL_KEY is safer: other users of the machine can see flags.",
    ),
    click.option("--model-path", metavar="FILE", help="A GGUF file to use as the embedded model."),
    click.option(
        "--script", metavar="FILE", help="A file of scripted answers that replaces the model, for tests and trials."
    ),
)
ALWAYS: tuple[Option, ...] = (
    click.option(
        "--config",
        "file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Settings in TOML. Environment variables (RUNSTEAD_…) and flags override them.",
    ),
    click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="[default: info]"),
)


def options(*chosen: Option) -> Option:
    """A decorator that adds these options to a command, in this order."""

    def add(command: Command) -> Command:
        for option in reversed(chosen):
            command = option(command)
        return command

    return add
