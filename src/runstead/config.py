"""The configuration: one value, from defaults, a TOML file, the environment and flags; the later wins.

Every setting but lists and tables can be given as `RUNSTEAD_<NAME>` in the environment, and the first ones as a flag.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta, Struct, field

from runstead.wire.error import RunsteadError
from runstead.wire.options import OnBusy

__all__ = ["Config", "Role", "load"]

Role: TypeAlias = Literal["api", "worker"]
"""`api` answers calls, `worker` executes runs."""
Level: TypeAlias = Literal["debug", "info", "warning", "error"]


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    data: str = "runstead-data"
    """The folder that holds the database, when that is a file of our own."""
    database: str | None = None
    """A PostgreSQL, as postgresql://…, for several processes; without one, SQLite in the folder."""
    database_connections: Annotated[int, Meta(ge=1)] = 16
    """Transactions that a process may have open at once there; more wait."""
    broker: str | None = None
    """NATS servers, as nats://…, several with commas between; without one, whatever happens stays in the process."""
    broker_replicas: Annotated[int, Meta(ge=1, le=5)] = 1
    """Servers that keep each offer of a run: 3 in a cluster of three or more."""
    installation: Annotated[str, Meta(pattern=r"^[a-z_][a-z0-9_]{0,31}\Z")] = "runstead"
    """What is ours on servers that are shared: the schema in PostgreSQL, the beginning of all names in NATS."""
    roles: Annotated[tuple[Role, ...], Meta(min_length=1)] = ("api", "worker")
    """What this process does."""
    lease: Annotated[float, Meta(ge=0.5, le=600)] = 10.0
    """Seconds after which a worker that was not heard of is given up."""
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
    max_runs: Annotated[int, Meta(ge=1)] = 5000
    """Runs that this process executes at once; more wait."""
    project_runs: Annotated[int, Meta(ge=0)] = 100
    """Runs of one project that all processes together execute at once; more wait. 0 is no limit."""
    project_queue: Annotated[int, Meta(ge=0)] = 10_000
    """Runs of one project that may wait; more are refused. 0 is no limit."""
    on_busy: OnBusy = "reject"
    """What a run or a message does on a thread whose run has not ended, if neither it nor the thread says."""
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
    secret: Annotated[str, Meta(min_length=32)] | None = None
    """The key of which the secrets of webhooks are made, the same in all processes; SQLite can do without."""
    allow_private_webhooks: bool = False
    """Send to webhooks on addresses that are not of the public internet, such as this machine's own."""
    log_level: Level = "info"
    upstream: tuple[dict[str, Any], ...] = ()
    """Servers of models: see docs/models.md."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Model names that stand for others."""

    def __repr__(self) -> str:
        # Keys and passwords stay out of logs.
        return f"Config(data={self.data!r}, roles={self.roles!r}, host={self.host!r}, port={self.port})"


_ONLY_IN_THE_FILE = {"allowed_hosts", "upstream", "aliases"}
_WITH_COMMAS = {"roles"}
"""Lists that may be written as one text."""
_ONE_OF = {"roles": get_args(Role), "on_busy": get_args(OnBusy), "log_level": get_args(Level)}


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
    values = {name: _split(value) if name in _WITH_COMMAS else value for name, value in values.items()}
    try:
        return msgspec.convert(values, Config, strict=False)
    except msgspec.ValidationError as error:
        raise RunsteadError(f"{source}: {error}{_choice(str(error))}".replace("`$.", "`")) from error


def _choice(error: str) -> str:
    """What there is to choose from, where that is not what was chosen."""
    place = re.match(r"Invalid enum value .* - at `\$\.(\w+)", error)
    return f" (there are: {', '.join(_ONE_OF[place[1]])})" if place else ""


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise RunsteadError(f"Cannot read the configuration {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RunsteadError(f"The configuration {file} is not TOML: {error}") from error
