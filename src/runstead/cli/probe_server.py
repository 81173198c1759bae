"""A worker's own small server: `GET /health` and `GET /ready`, for supervisors."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runstead.api.app import create_probes
from runstead.cli.listen_socket import bind, listen
from runstead.cli.server_process import Server
from runstead.cli.unread_replies import UnreadReplies
from runstead.cli.uvicorn_config import uvicorn_config
from runstead.config import Config
from runstead.worker.application import Application

__all__ = ["probes_served"]

_log = logging.getLogger("runstead.worker")

_GRACE = 1
"""Seconds that open connections get to end."""


@asynccontextmanager
async def probes_served(application: Application, config: Config, port: int) -> AsyncIterator[None]:
    """While inside, the probes are served at this port."""
    with bind(config.host, port) as bound:
        probes = create_probes(application, config.allowed_hosts)
        server = Server(uvicorn_config(probes, _GRACE), UnreadReplies(config.unread_limit))
        _log.info("health", extra={"url": f"{listen(bound)}/ready"})
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[bound]), name="probes")
            try:
                yield
            finally:
                server.should_exit = True
