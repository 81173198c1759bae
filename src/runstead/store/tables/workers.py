"""The workers that live."""

from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session

__all__ = ["SqlWorkers"]


class SqlWorkers:
    """`port.Workers`, in SQL. Leases are whole milliseconds."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["workers"]

    async def register(self, name: str, lease: float) -> None:
        await self._session.execute(self._queries["register"], name=name, lease=round(lease * 1000))

    async def heartbeat(self, name: str, lease: float) -> bool:
        return await self._session.row(self._queries["heartbeat"], name=name, lease=round(lease * 1000)) is not None

    async def deregister(self, name: str) -> None:
        await self._session.execute(self._queries["deregister"], name=name)

    async def expired(self, observer: str) -> list[str]:
        return [row[0] for row in await self._session.rows(self._queries["expired"], observer=observer)]
