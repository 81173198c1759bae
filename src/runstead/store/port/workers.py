"""The port of live workers and their leases."""

from typing import Protocol

__all__ = ["Workers"]


class Workers(Protocol):
    """The workers that live. Whoever is not among them is gone, and its runs may be taken."""

    async def register(self, name: str, lease: float) -> None:
        """A worker begins. Of its lease, in seconds, the store's own clock knows."""
        ...

    async def heartbeat(self, name: str, lease: float) -> bool:
        """It lives, and goes on for a lease from now. False when it was given up meanwhile."""
        ...

    async def deregister(self, name: str) -> None:
        """It has handed back what it held, or is given up: from now on its runs may be taken, and it takes none."""
        ...

    async def expired(self, observer: str) -> list[str]:
        """Those whose lease is over, or whose process is seen to be gone; in `write` they are held.

        Nobody, as long as the `observer` cannot tell: when the database has just come back, or it came back to it, all
        look as if they were gone.
        """
        ...
