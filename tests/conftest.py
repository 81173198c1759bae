"""Settings and fixtures of all tests."""

import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.support.nats import NatsServer

# No deadline for single examples: a busy machine must not fail a test, and every test has a timeout of its own.
settings.register_profile("runstead", deadline=None, print_blob=True)
settings.load_profile("runstead")

# A shell starts background jobs with SIGINT ignored. All programs that the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the developer's RUNSTEAD_… variables."""
    for name in [name for name in os.environ if name.startswith("RUNSTEAD_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[NatsServer]":
    """A NATS server that the tests share."""
    from tests.support.nats import NatsServer

    server = NatsServer(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.kill()
