"""The configuration: one value, from defaults, a TOML file, the environment and flags; the later wins.

Every setting but lists and tables can be given as `RUNSTEAD_<NAME>` in the environment, and the first ones as a flag.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from runstead.wire.error import RunsteadError

__all__ = ["Config", "load"]


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    data: str = "runstead-data"
    """The folder that holds the database."""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8642
    model_url: str | None = None
    """A server of models; without one, and without `upstream`, the embedded model answers."""
    model_key: str | None = None
    model_path: str | None = None
    """A GGUF file for the embedded model, instead of the one that comes with it."""
    script: str | None = None
    """A file that says what the model answers, for trials and demonstrations."""
    run_lifetime: Annotated[int, Meta(ge=1)] = 600
    """Seconds after its creation at which a run expires."""
    most_runs: Annotated[int, Meta(ge=1)] = 5000
    """Runs that are executed at once; more wait."""
    require_beta_header: bool = True
    """Refuse calls without `OpenAI-Beta: assistants=v2`, as the original did."""
    body_limit: Annotated[int, Meta(ge=1024)] = 32 * 1024 * 1024
    """Bytes of a request's body."""
    ping_after: Annotated[float, Meta(gt=0)] = 15.0
    """Seconds of silence after which a stream says that it lives."""
    poll_after_ms: Annotated[int, Meta(ge=1)] = 100
    """How soon to look again, told to clients that poll an active run."""
    allowed_hosts: tuple[str, ...] = ()
    """Names by which the server may be called, besides those of the machine itself."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    upstream: tuple[dict[str, Any], ...] = ()
    """Servers of models: see docs/models.md."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Model names that stand for others."""

    def __repr__(self) -> str:
        return f"Config(data={self.data!r}, host={self.host!r}, port={self.port})"  # keys stay out of logs


_ONLY_IN_THE_FILE = {"allowed_hosts", "upstream", "aliases"}


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> Config:
    """The configuration. Flags that are None and variables that are empty are not given.

    `RunsteadError` says what is wrong, and where.
    """
    config = _convert(_read(file), f"Configuration in {file}") if file is not None else Config()
    for name in Config.__struct_fields__:
        variable = f"RUNSTEAD_{name.upper()}"
        if name not in _ONLY_IN_THE_FILE and (text := environment.get(variable)):
            config = _with(config, name, text, variable)
    for name, value in flags.items():
        if value is not None:
            config = _with(config, name, value, "--" + name.replace("_", "-"))
    return config


def _with(config: Config, name: str, value: Any, source: str) -> Config:
    return msgspec.structs.replace(config, **{name: getattr(_convert({name: value}, source), name)})


def _convert(values: Mapping[str, Any], source: str) -> Config:
    try:
        return msgspec.convert(values, Config, strict=False)
    except msgspec.ValidationError as error:
        raise RunsteadError(f"{source}: {error}".replace("`$.", "`")) from error


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise RunsteadError(f"Cannot read the configuration {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RunsteadError(f"The configuration {file} is not TOML: {error}") from error
