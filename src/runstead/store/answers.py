"""The answers that were given to requests which may come again."""

from runstead.store.port import Kept
from runstead.store.queries import Queries
from runstead.store.session import Session

__all__ = ["SqlAnswers"]


class SqlAnswers:
    """`port.Answers`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["answers"]

    async def get(self, project: str, key: str, now: int) -> Kept | None:
        await self._session.row(self._queries["hold_key"], project=project, key=key)
        row = await self._session.row(self._queries["get"], project=project, key=key, now=now)
        if row is None:
            return None
        digest, doubtful, seq, expires_at, body = row
        return Kept(digest=digest, doubtful=bool(doubtful), seq=seq, expires_at=expires_at, body=body)

    async def keep(self, project: str, key: str, kept: Kept) -> None:
        await self._session.execute(
            self._queries["keep"],
            project=project,
            key=key,
            digest=kept.digest,
            doubtful=int(kept.doubtful),
            seq=kept.seq,
            expires_at=kept.expires_at,
            body=kept.body,
        )

    async def forget(self, now: int, limit: int) -> int:
        return len(await self._session.rows(self._queries["forget"], now=now, limit=limit))
