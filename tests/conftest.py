"""What holds for every test."""

import os

import pytest
from hypothesis import settings

# A busy machine is no failure: examples are bounded in number, and a test as a whole by its timeout.
settings.register_profile("runstead", deadline=None, print_blob=True)
settings.load_profile("runstead")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own RUNSTEAD_… settings do not reach the tests."""
    for name in [name for name in os.environ if name.startswith("RUNSTEAD_")]:
        monkeypatch.delenv(name)
