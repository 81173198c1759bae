"""The configuration, from defaults, a TOML file, environment variables and flags. The later source wins.

Every setting except tables has an environment variable `RUNSTEAD_<NAME>`. The most common ones have a flag.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta, Struct, field

from runstead.wire.error import RunsteadError
from runstead.wire.options import MAX_AMOUNT, OnBusy

__all__ = ["Config", "Role", "load"]

Role: TypeAlias = Literal["api", "worker"]
"""`api` answers requests, `worker` executes runs."""
Origin: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9+.-]*://[^/\s*A-Z]+\Z")]
"""Scheme, host and port of a web page, without a path. Patterns are not supported."""
Level: TypeAlias = Literal["debug", "info", "warning", "error"]


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings, with their defaults."""

    data: str = "runstead-data"
    """The folder of the SQLite database."""
    database: str | None = None
    """The URL of a PostgreSQL database, for several processes: postgresql://…. The default is SQLite in `data`."""
    database_connections: Annotated[int, Meta(ge=1)] = 16
    """Maximum transactions that a process has open in PostgreSQL at once. More wait."""
    blobs: str | None = None
    """Where the content of files is stored: the URL of an object store, such as s3://bucket/prefix, or a folder. The
    default is a folder in `data`. See docs/files.md."""
    broker: str | None = None
    """URLs of NATS servers, separated by commas: nats://…. The default is a broker within the process."""
    broker_replicas: Annotated[int, Meta(ge=1, le=5)] = 1
    """NATS servers that store each offer of a run: 3 in a cluster of three or more."""
    installation: Annotated[str, Meta(pattern=r"^[a-z_][a-z0-9_]{0,31}\Z")] = "runstead"
    """Separates installations on shared servers: the schema in PostgreSQL, the prefix of names in NATS."""
    roles: Annotated[tuple[Role, ...], Meta(min_length=1)] = ("api", "worker")
    """The roles of this process."""
    lease: Annotated[float, Meta(ge=0.5, le=600)] = 10.0
    """Seconds without a heartbeat after which a worker expires."""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8642
    tls_cert: str | None = None
    """A PEM file with the server's certificate, to serve https instead of http."""
    tls_key: str | None = None
    """A PEM file with the certificate's key, if that is another one."""
    health_port: Annotated[int, Meta(ge=0, le=65535)] | None = None
    """The port at which a `runstead worker` answers GET /health and GET /ready. By default it has none."""
    model_url: str | None = None
    """The URL of a model server. Without it, `model_preset` and `upstream`, the embedded model answers."""
    model_preset: str | None = None
    """The kind of model server, such as `openai`: see docs/models.md. By default it is derived from `model_url`."""
    model_key: str | None = None
    model_path: str | None = None
    """A GGUF file to use as the embedded model."""
    embeddings_url: str | None = None
    """The URL of a server with an embeddings API. Without it, `embeddings_preset` and `embeddings`, the model of the
    extra `files` embeds, if that is installed."""
    embeddings_preset: str | None = None
    """The kind of embedding server, such as `openai` or `ollama`."""
    embeddings_model: str | None = None
    """The server's name of the embedding model."""
    embeddings_key: str | None = None
    script: str | None = None
    """A file of scripted answers that replaces the model, for tests and trials."""
    ingest_workers: Annotated[int, Meta(ge=1, le=64)] = 2
    """Files of vector stores that this process reads and indexes at once."""
    run_lifetime: Annotated[int, Meta(ge=1, le=MAX_AMOUNT)] = 600
    """Seconds after its creation at which a run expires."""
    max_runs: Annotated[int, Meta(ge=1, le=MAX_AMOUNT)] = 5000
    """Maximum runs that this process executes at once. More wait."""
    project_runs: Annotated[int, Meta(ge=0, le=MAX_AMOUNT)] = 100
    """Maximum runs of one project that all processes together execute at once. More wait. 0 means no limit."""
    project_queue: Annotated[int, Meta(ge=0, le=MAX_AMOUNT)] = 10_000
    """Maximum waiting runs of one project. More are refused. 0 means no limit."""
    project_file_bytes: Annotated[int, Meta(ge=0, le=MAX_AMOUNT)] = 100 * 1024**3
    """Maximum bytes of all files of one project. Uploads beyond it are refused. 0 means no limit."""
    on_busy: OnBusy = "reject"
    """The default for a run or message on a busy thread, if neither the request nor the thread sets it."""
    require_beta_header: bool = True
    """Refuse requests without `OpenAI-Beta: assistants=v2`, as the original API did."""
    body_limit: Annotated[int, Meta(ge=1024)] = 8 * 1024 * 1024
    """Maximum bytes of a request's body."""
    bodies_limit: Annotated[int, Meta(ge=1024)] = 256 * 1024 * 1024
    """Maximum bytes of the bodies that are being received at once. Requests beyond it get 503."""
    answers_limit: Annotated[int, Meta(ge=4 * 1024 * 1024)] = 64 * 1024 * 1024
    """Maximum characters of the models' answers that are being received at once. Runs beyond it are delayed."""
    unread_limit: Annotated[int, Meta(ge=1024 * 1024)] = 256 * 1024 * 1024
    """Maximum bytes of replies that wait for clients. Above it, the connections of the slowest readers are closed."""
    ping_after: Annotated[float, Meta(gt=0)] = 15.0
    """Seconds without an event after which a stream sends a ping."""
    poll_after_ms: Annotated[int, Meta(ge=1)] = 100
    """Milliseconds between two polls, recommended to clients that poll an active run."""
    allowed_hosts: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    """Host names that requests may use, besides those of the machine itself."""
    allowed_origins: tuple[Origin, ...] = ()
    """Origins whose web pages may call the server, exactly as browsers send them: `https://app.example.com`."""
    secret: Annotated[str, Meta(min_length=32)] | None = None
    """The signing key from which the secrets of webhooks are derived. All processes need the same one.

    With SQLite it is optional: the key is then a file beside the database.
    """
    allow_private_webhooks: bool = False
    """Allow webhooks on private addresses, such as those of this machine."""
    log_level: Level = "info"
    upstream: tuple[dict[str, Any], ...] = ()
    """Model servers: see docs/models.md."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Alternative names of models."""
    embeddings: dict[str, Any] | None = None
    """An embedding server with all of its settings: see docs/models.md."""

    def __repr__(self) -> str:
        # Keys and passwords must not be logged.
        return f"Config(data={self.data!r}, roles={self.roles!r}, host={self.host!r}, port={self.port})"


_ONLY_IN_THE_FILE = {"upstream", "aliases", "embeddings"}
_WITH_COMMAS = {"roles", "allowed_hosts", "allowed_origins"}
"""Lists that may be written as text with commas."""
_ONE_OF = {"roles": get_args(Role), "on_busy": get_args(OnBusy), "log_level": get_args(Level)}


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> Config:
    """The configuration. Flags that are None and variables that are empty count as not given.

    `RunsteadError` names an invalid setting and its source.
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
    """The valid choices, if the error is an invalid one."""
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
