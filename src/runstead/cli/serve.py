"""`runstead serve`: the server, with its worker, in one process."""

import asyncio
import ipaddress
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import uvicorn
import uvloop

from runstead import bootstrap, config, telemetry
from runstead.api.app import Settings, create_app
from runstead.config import Config
from runstead.wire.error import RunsteadError

__all__ = ["serve"]

_GRACE = 5
"""Seconds that open connections get to end, once the server is told to stop."""


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
    """
    settings = config.load(file, os.environ, flags)
    telemetry.configure(settings.log_level)
    uvloop.run(_serve(settings))


async def _serve(settings: Config) -> None:
    listening = _listen(settings.host, settings.port)
    async with bootstrap.application(settings) as application:
        api = Settings(
            require_beta_header=settings.require_beta_header,
            body_limit=settings.body_limit,
            allowed_hosts=settings.allowed_hosts,
        )
        server = _Server(
            uvicorn.Config(
                create_app(application, api),
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=_GRACE,
            )
        )

        def stop() -> None:
            application.draining.set()
            server.should_exit = True

        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop)
        host, port = listening.getsockname()[:2]
        click.echo(f"Runstead listens on http://{host}:{port}/v1 (read about it: http://{host}:{port}/docs)")
        await server.serve(sockets=[listening])


class _Server(uvicorn.Server):
    """Leaves signals to us: runs must be handed back before the process ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    """A socket on a loopback address."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise RunsteadError(
            f"Refusing to listen on {host}: there are no API keys yet, so whoever reaches the server could read "
            "everything. Use a loopback address such as 127.0.0.1, and a proxy of your own in front of it."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, so that every event loop sends small answers at once.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise RunsteadError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
    listening.setblocking(False)
    return listening
