"""The table of idempotency records: replies to requests that may be sent again."""

from runstead.store.port import IdempotencyRecord
from runstead.store.tables.batch import BATCH_SIZE, first_within
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session

__all__ = ["SqlIdempotency"]


class SqlIdempotency:
    """`port.Idempotency`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["idempotency"]

    async def get(self, project: str, key: str, now: int) -> IdempotencyRecord | None:
        await self._session.row(self._queries["lock_key"], project=project, key=key)
        row = await self._session.row(self._queries["get"], project=project, key=key, now=now)
        if row is None:
            return None
        digest, ambiguous, seq, expires_at, subject, body = row
        return IdempotencyRecord(
            digest=digest, ambiguous=bool(ambiguous), seq=seq, expires_at=expires_at, subject=subject, body=body
        )

    async def put(self, project: str, key: str, record: IdempotencyRecord) -> None:
        await self._session.execute(
            self._queries["put"],
            project=project,
            key=key,
            digest=record.digest,
            ambiguous=int(record.ambiguous),
            seq=record.seq,
            expires_at=record.expires_at,
            subject=record.subject,
            body=record.body,
        )

    async def erase(self, project: str, subject: str) -> None:
        await self._session.execute(self._queries["erase"], project=project, subject=subject, nothing=b"")

    async def prune(self, now: int, limit: int) -> int:
        sizes = await self._session.rows(self._queries["expired_sizes"], now=now, limit=limit)
        fitting = first_within([length for (length,) in sizes], BATCH_SIZE)
        return len(await self._session.rows(self._queries["prune"], now=now, limit=fitting))
