"""The workers that live."""

from runstead.store.queries import Queries
from runstead.store.session import Session

__all__ = ["SqlWorkers"]


class SqlWorkers:
    """`port.Workers`, in SQL. Leases are whole milliseconds."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["workers"]

    async def enter(self, name: str, lease: float) -> None:
        await self._session.execute(self._queries["enter"], name=name, lease=round(lease * 1000))

    async def renew(self, name: str, lease: float) -> bool:
        return await self._session.row(self._queries["renew"], name=name, lease=round(lease * 1000)) is not None

    async def leave(self, name: str) -> None:
        await self._session.execute(self._queries["leave"], name=name)

    async def absent(self, observer: str) -> list[str]:
        return [row[0] for row in await self._session.rows(self._queries["absent"], observer=observer)]
