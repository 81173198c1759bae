"""A schema, brought up to date without the engine."""

from runstead.store.postgres.address import Address
from runstead.store.postgres.connection import connect
from runstead.store.postgres.failure import Failure
from runstead.store.postgres.migrations import migrate, missing
from runstead.store.postgres.outages import unreachable
from runstead.store.postgres.transactions import patiently
from runstead.wire.error import RunsteadError

__all__ = ["upgrade"]

_PATIENCE = 5.0
"""Seconds to reach the server."""


async def upgrade(url: str, schema: str, *, check: bool) -> list[str]:
    """Apply the migrations that the schema lacks, or only look; their names."""
    address = Address(url)

    async def once() -> list[str]:
        session = await connect(address, schema)
        try:
            migrations = await (missing if check else migrate)(session, schema)
        finally:
            await session.close()
        return [migration.name for migration in migrations]

    try:
        return await patiently(once, _PATIENCE, unreachable(address))
    except Failure as error:
        raise RunsteadError(f"cannot migrate {address}: {address.clean(error)}") from error
