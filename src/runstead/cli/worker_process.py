"""The process of `runstead worker`: a worker without an API."""

import logging
import os
from contextlib import AbstractAsyncContextManager, nullcontext

import click

from runstead import bootstrap
from runstead.cli.garbage_collection import collected_in_portions
from runstead.cli.process import ShutdownSignals, run_process
from runstead.config import Config
from runstead.worker.application import Application

__all__ = ["run"]

_log = logging.getLogger("runstead.worker")


def run(config: Config) -> None:
    """Execute runs until SIGINT or SIGTERM. `RunsteadError` if the worker cannot start, or fails."""
    run_process(_work(config), "worker", _log)


async def _work(config: Config) -> None:
    signals = ShutdownSignals(_log)
    async with bootstrap.application(config) as application, _probes(application, config):
        signals.on_shutdown(application.draining.set)
        _log.info("started", extra={"max_runs": config.max_runs, "pid": os.getpid()})
        click.echo(f"Runstead works: up to {config.max_runs} runs at once (process {os.getpid()})")
        with collected_in_portions():
            await application.draining.wait()
    _log.info("stopped")


def _probes(application: Application, config: Config) -> AbstractAsyncContextManager[None]:
    if config.health_port is None:
        return nullcontext()
    from runstead.cli.probe_server import probes_served  # its libraries are slow to import

    return probes_served(application, config, config.health_port)
