"""What holds for every test."""

import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.support.nats import NatsServer

# A busy machine is no failure: examples are bounded in number, and a test as a whole by its timeout.
settings.register_profile("runstead", deadline=None, print_blob=True)
settings.load_profile("runstead")

# Who starts the tests in the background of a script has them ignore this, and so would all programs that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own RUNSTEAD_… settings do not reach the tests."""
    for name in [name for name in os.environ if name.startswith("RUNSTEAD_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[NatsServer]":
    """A server that the tests share."""
    from tests.support.nats import NatsServer

    server = NatsServer(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.kill()
