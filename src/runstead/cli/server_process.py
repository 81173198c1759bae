"""The process of `runstead serve`: the API, and a worker if its roles say so, on one event loop."""

import asyncio
import logging
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import click
import uvicorn

from runstead import bootstrap
from runstead.api.app import Settings, create_app
from runstead.cli.garbage_collection import collected_in_portions
from runstead.cli.http_protocol import close_expired
from runstead.cli.listen_socket import bind, listen
from runstead.cli.process import ShutdownSignals, run_process
from runstead.cli.tls import server_context
from runstead.cli.unread_replies import UnreadReplies
from runstead.cli.uvicorn_config import uvicorn_config
from runstead.config import Config
from runstead.wire.error import RunsteadError
from runstead.worker.application import Application

__all__ = ["Server", "run"]

_log = logging.getLogger("runstead.serve")

_TICKS = 10
"""uvicorn's ticks, a tenth of a second each, between two checks of the connections."""
_GRACE = 5
"""Seconds that open connections get to end during a shutdown."""


def run(config: Config) -> None:
    """Serve until SIGINT or SIGTERM. `RunsteadError` if the server cannot start, or fails."""
    if "api" not in config.roles:
        raise RunsteadError("A server needs the role 'api'. For a worker without an API, use: runstead worker")
    run_process(_serve(config), "server", _log)


async def _serve(config: Config) -> None:
    signals = ShutdownSignals(_log)
    tls = server_context(config.tls_cert, config.tls_key)
    with bind(config.host, config.port) as bound:
        async with bootstrap.application(config) as application:
            server = Server(_settings(application, config, tls), UnreadReplies(config.unread_limit))

            def shut_down() -> None:
                application.draining.set()
                server.should_exit = True

            signals.on_shutdown(shut_down)
            url = listen(bound, "http" if tls is None else "https")
            _log.info("started", extra={"url": url, "pid": os.getpid()})
            click.echo(f"Runstead listens on {url}/v1 (API reference: {url}/docs)")
            with collected_in_portions():
                await server.serve(sockets=[bound])
    _log.info("stopped")


def _settings(application: Application, config: Config, tls: ssl.SSLContext | None) -> uvicorn.Config:
    api = Settings(
        require_beta_header=config.require_beta_header,
        body_limit=config.body_limit,
        bodies_limit=config.bodies_limit,
        ping_after=config.ping_after,
        poll_after_ms=config.poll_after_ms,
        allowed_hosts=config.allowed_hosts,
        allowed_origins=config.allowed_origins,
    )
    return uvicorn_config(create_app(application, api), _GRACE, tls, config.allowed_origins)


class Server(uvicorn.Server):
    """Closes connections that take too long, or too much memory.

    It leaves signals to `ShutdownSignals`, because runs must be released before the process ends.
    """

    def __init__(self, config: uvicorn.Config, unread: UnreadReplies) -> None:
        super().__init__(config)
        self._unread = unread

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS == 0:
            close_expired(self.server_state.connections, asyncio.get_running_loop().time())
            self._unread.close_slowest(self.server_state.connections)
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
