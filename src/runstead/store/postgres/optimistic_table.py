"""Tables with optimistic locking: a row is written back only if it is still as it was read. For runs see `runs`."""

from typing import TypeVar

from runstead.store.postgres.connection import PostgresSession
from runstead.store.postgres.failure import Overtaken
from runstead.store.postgres.statements import locked
from runstead.store.tables.table import Listed, Session, Table, Value

__all__ = ["OptimisticTable"]

T = TypeVar("T", bound=Listed)


class OptimisticTable(Table[T]):
    """Reading a row does not lock it. If two transactions read a row and write it back, the second is `Overtaken`.

    The statement `get` returns a mark beside the body; `replace` writes only if the row still has that mark.
    """

    async def get(self, **key: Value) -> T | None:
        session, sql = _postgres(self._session), self._queries["get"]
        row = await session.row(locked(sql) if session.locking else sql, **key)
        if row is None:
            return None
        body, session.marks[str(key["id"])] = row
        return self.read(body)

    async def replace(self, item: T, **key: Value) -> bool:
        session = _postgres(self._session)
        mark = session.marks.get(item.id)
        row = await session.row(self._queries["replace"], id=item.id, body=self.body(item), mark=mark, **key)
        if row is not None:
            (session.marks[item.id],) = row
            return True
        if mark is None:
            return False
        raise Overtaken(item.id)


def _postgres(session: Session) -> PostgresSession:
    assert isinstance(session, PostgresSession)
    return session
