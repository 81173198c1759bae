"""The outages that a server can have, in the words of the log."""

from runstead.store.outage import Outage
from runstead.store.postgres.address import Address

__all__ = ["full", "unreachable"]


def unreachable(address: Address) -> Outage:
    """The server cannot be reached."""
    return Outage(
        address,
        fails="cannot reach the database, trying again",
        works="the database is back",
        clean=address.clean,
    )


def full(address: Address) -> Outage:
    """The server has no room: it can be read, and not written."""
    return Outage(
        address,
        fails="the database has no room, trying again",
        works="the database can be written again",
        clean=address.clean,
    )
