"""Both clients have the methods of the interface, and import only what they need."""

import inspect
import subprocess
import sys
from collections.abc import Iterator

import pytest

from runstead.client import AsyncClient, Client
from runstead.interface import Administration, Interface, Objects

DEEP = {"anyio", "h11", "httpcore2", "idna", "msgspec", "sniffio", "truststore", "typing_extensions"}
"""The client's libraries, and theirs."""


def as_interface(client: AsyncClient) -> Objects:
    """Never called. The type checker checks that the async client is the interface."""
    return client


def as_administration(client: AsyncClient) -> Administration:
    """Is checked by the type checker."""
    return client


def methods() -> Iterator[str]:
    for part in (*Interface.__mro__, Administration):
        yield from (name for name in vars(part) if not name.startswith("_") and part.__module__.startswith("runstead."))


@pytest.mark.parametrize("name", list(methods()))
@pytest.mark.parametrize("client", [AsyncClient, Client])
def test_a_method_has_the_parameters_of_the_interface(client: type[AsyncClient] | type[Client], name: str) -> None:
    ours, theirs = (
        inspect.signature(getattr(where, name)).parameters
        for where in (client, Interface if hasattr(Interface, name) else Administration)
    )
    assert [(each.name, each.kind, each.default) for each in ours.values()] == [
        (each.name, each.kind, each.default) for each in theirs.values()
    ]


@pytest.mark.parametrize(("function", "absent"), [("connect", "_async"), ("connect_async", "_sync")])
def test_connect_imports_only_its_own_client_and_its_libraries(function: str, absent: str) -> None:
    code = f"import sys, runstead.client; runstead.client.{function}(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert not [name for name in loaded if name.startswith(f"runstead.client.{absent}")]
    if function == "connect":
        assert "asyncio" not in loaded
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - DEEP
    assert {name for name in foreign if not name.startswith("_")} == {"runstead"}
