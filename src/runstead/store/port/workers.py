"""The port of live workers and their leases."""

from typing import Protocol

__all__ = ["Workers"]


class Workers(Protocol):
    """The live workers. The runs of a worker that is not among them may be recovered."""

    async def register(self, name: str, lease: float) -> None:
        """Add a worker, with a lease of so many seconds by the store's own clock."""
        ...

    async def heartbeat(self, name: str, lease: float) -> bool:
        """Renew the worker's lease from now on. False when it was deregistered meanwhile."""
        ...

    async def deregister(self, name: str) -> None:
        """Remove a worker that has released its runs, or has expired: from now on its runs may be recovered."""
        ...

    async def expired(self, observer: str) -> list[str]:
        """The workers whose lease is over, or whose process is seen to be dead; in `write` they are locked. The
        observer is never among them.

        None, as long as the `observer` cannot tell: when the database has just come back, or the observer has come back
        to it, all workers look dead.
        """
        ...
