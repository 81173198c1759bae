"""Both clients are the interface; the sync one without waiting."""

import inspect
import subprocess
import sys
from collections.abc import Iterator

import pytest

from runstead.client import AsyncClient, Client
from runstead.interface import Administration, Interface

DEEP = {"anyio", "h11", "httpcore2", "idna", "msgspec", "sniffio", "truststore", "typing_extensions"}
"""What the client needs, and what that needs."""


def as_interface(client: AsyncClient) -> Interface:
    """Is checked by the type checker."""
    return client


def as_administration(client: AsyncClient) -> Administration:
    """Is checked by the type checker."""
    return client


def methods() -> Iterator[str]:
    for part in (*Interface.__mro__, Administration):
        yield from (name for name in vars(part) if not name.startswith("_") and part.__module__.startswith("runstead."))


@pytest.mark.parametrize("name", list(methods()))
@pytest.mark.parametrize("client", [AsyncClient, Client])
def test_a_method_takes_what_the_interface_says(client: type[AsyncClient] | type[Client], name: str) -> None:
    ours, theirs = (
        inspect.signature(getattr(where, name)).parameters
        for where in (client, Interface if hasattr(Interface, name) else Administration)
    )
    assert [(each.name, each.kind, each.default) for each in ours.values()] == [
        (each.name, each.kind, each.default) for each in theirs.values()
    ]


@pytest.mark.parametrize(("door", "absent"), [("connect", "_async"), ("connect_async", "_sync")])
def test_a_door_loads_its_own_client_and_no_library_but_its_own(door: str, absent: str) -> None:
    code = f"import sys, runstead.client; runstead.client.{door}(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert not [name for name in loaded if name.startswith(f"runstead.client.{absent}")]
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - DEEP
    assert {name for name in foreign if not name.startswith("_")} == {"runstead"}


def test_a_sync_program_needs_no_event_loop() -> None:
    code = "import sys, runstead.client; runstead.client.connect(); print('asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
