"""The process of `runstead serve`: the API, and a worker if its roles say so, on one event loop."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
import uvicorn

from runstead import bootstrap
from runstead.api.app import Settings, create_app
from runstead.cli.http_protocol import LimitedHttpProtocol
from runstead.cli.listen_socket import bind, listen
from runstead.cli.process import ShutdownSignals, run_process
from runstead.config import Config
from runstead.wire.error import RunsteadError
from runstead.worker.application import Application

__all__ = ["Server", "run"]

_log = logging.getLogger("runstead.serve")

_GRACE = 5
"""Seconds that open connections get to end during a shutdown."""


def run(config: Config) -> None:
    """Serve until SIGINT or SIGTERM. `RunsteadError` if the server cannot start, or fails."""
    if "api" not in config.roles:
        raise RunsteadError("A server needs the role 'api'. For a worker without an API, use: runstead worker")
    run_process(_serve(config), "server", _log)


async def _serve(config: Config) -> None:
    signals = ShutdownSignals(_log)
    with bind(config.host, config.port) as bound:
        async with bootstrap.application(config) as application:
            server = Server(_settings(application, config))

            def shut_down() -> None:
                application.draining.set()
                server.should_exit = True

            signals.on_shutdown(shut_down)
            url = listen(bound)
            _log.info("started", extra={"url": url, "pid": os.getpid()})
            click.echo(f"Runstead listens on {url}/v1 (API reference: {url}/docs)")
            await server.serve(sockets=[bound])
    _log.info("stopped")


def _settings(application: Application, config: Config) -> uvicorn.Config:
    api = Settings(
        require_beta_header=config.require_beta_header,
        body_limit=config.body_limit,
        ping_after=config.ping_after,
        poll_after_ms=config.poll_after_ms,
        allowed_hosts=config.allowed_hosts,
    )
    return uvicorn.Config(
        create_app(application, api),
        http=LimitedHttpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE,
    )


class Server(uvicorn.Server):
    """Leaves signals to `ShutdownSignals`, because runs must be released before the process ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
