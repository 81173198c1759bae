"""Group commit: transactions that wait together reach the disk together.

    write() ─▶ waiting ─▶ BEGIN · work · work · work ─▶ COMMIT (fsync) ─▶ callers are answered, the next batch begins
                          └──── on the event loop ────┘ └─ in a thread ─┘

A work takes microseconds and runs on the loop, in a savepoint of its own, so it fails alone. The COMMIT takes
milliseconds and runs in the one thread, without the interpreter's lock; what is written meanwhile waits for the next
batch. No caller is answered, not even of a work that failed, before what the work saw is on disk.

Whatever fails outside of a work fails the batch: it is rolled back, its callers get the error, and the next batch
begins. So no caller waits for ever, and the writer works again as soon as its cause is gone.
"""

import asyncio
import sqlite3
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

from runstead.store.outage import Outage
from runstead.store.port import Tx
from runstead.store.sqlite.commit_thread import CommitThread
from runstead.store.sqlite.connection import Work, failed, is_busy, perform, wait_no_more
from runstead.wire.error import Unreachable

__all__ = ["Writer"]

T = TypeVar("T")

_MOST_WORKS = 256
_LONGEST_HOLD = 0.005
"""Seconds that a batch may hold the loop before it commits."""
_PAUSE = 0.005
"""Seconds between two tries while another program holds the database."""
_LAST_SECONDS = 3.0
"""Seconds for waiting writes when the writer stops. After that they fail."""


class _Done(NamedTuple):
    """A work that was performed, for a caller that waits for the commit."""

    answer: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None


class Writer:
    """Performs transactions one after the other on its connection, and commits them in groups."""

    def __init__(self, connection: sqlite3.Connection, tx: Tx, path: str, patience: float) -> None:
        wait_no_more(connection)
        self._connection = connection
        self._tx = tx
        self._path = path
        self._patience = patience
        self._outage = Outage(
            path, fails="cannot write to the database, trying again", works="the database can be written again"
        )
        self._loop = asyncio.get_running_loop()
        # It starts here, or fails here: a commit must not be the first to find out that there is no thread for it.
        self._thread = CommitThread()
        self._waiting: deque[tuple[Work[Any], asyncio.Future[Any]]] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._busy_since: float | None = None
        self._changes = 0
        """Rows that were changed before the last transaction began."""
        self.commits = 0
        """How often something was committed."""

    async def write(self, work: Work[T]) -> T:
        """The result of the work, once it is on disk."""
        answer: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append((work, answer))
        if self._idle.is_set():
            self._idle.clear()
            # Not at once: what is written in the same turn of the loop joins the batch.
            self._loop.call_soon(self._batch)
        try:
            return await answer
        finally:
            answer.cancel()  # if no caller waits any more, it need not begin

    async def check(self) -> None:
        """Commit a write that changes nothing."""

        async def write_the_same(_: Tx) -> None:
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            self._connection.execute(f"PRAGMA user_version = {version}")

        await self.write(write_the_same)

    async def stop(self) -> None:
        """Commit waiting writes, and close the connection, even when cancelled."""
        try:
            if not await self._idle_within(_LAST_SECONDS):
                self._patience = 0  # the next try is the last one
                await self._idle_within(_LAST_SECONDS)
            closed = asyncio.Event()
            self._thread.call(self._connection.close, lambda _result, _error: closed.set())
            await closed.wait()
        finally:
            self._thread.stop()  # after the commit at work
            self._connection.close()

    async def _idle_within(self, seconds: float) -> bool:
        """Whether nothing waits any more within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        return self._idle.is_set()

    def _batch(self) -> None:
        if not self._waiting:
            self._idle.set()
            return
        done: list[_Done] = []
        try:
            self._begin()
            self._perform_waiting(done)
            self._thread.call(self._commit, partial(self._committed, done))
        except _Later:
            self._loop.call_later(_PAUSE, self._batch)
        except _Lost as lost:
            self._answer(done, lost.__cause__)
        except BaseException as error:  # noqa: BLE001 - whatever it is, its callers must not wait for ever
            self._undo()
            self._answer(done or self._given_up(), error)

    def _begin(self) -> None:
        """Begin a transaction. `_Later` while another program holds the database, for as long as patience lasts."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")  # it could not be rolled back when it failed
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            now = self._loop.time()
            self._busy_since = now if self._busy_since is None else self._busy_since
            if is_busy(error) and now - self._busy_since < self._patience:
                raise _Later from error
            self._busy_since = None
            raise
        self._busy_since = None
        self._changes = self._connection.total_changes

    def _perform_waiting(self, done: list[_Done]) -> None:
        until = self._loop.time() + _LONGEST_HOLD
        perform_one = self._perform_alone if len(self._waiting) == 1 else self._perform_guarded
        for _ in range(min(len(self._waiting), _MOST_WORKS)):
            work, answer = self._waiting.popleft()
            if not answer.done():  # or else its caller went away before it began
                done.append(_Done(answer))  # it learns of a loss, too
                done[-1] = perform_one(work, answer)
            if self._loop.time() >= until:
                return

    def _perform_alone(self, work: Work[Any], answer: asyncio.Future[Any]) -> _Done:
        try:
            return _Done(answer, perform(work, self._tx))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return _Done(answer, error=error)

    def _perform_guarded(self, work: Work[Any], answer: asyncio.Future[Any]) -> _Done:
        execute = self._connection.execute
        execute("SAVEPOINT work")
        try:
            value = perform(work, self._tx)
        except BaseException as error:
            if not self._connection.in_transaction:
                # A full disk makes SQLite undo everything, the works before this one too.
                raise _Lost from error
            execute("ROLLBACK TO work")
            execute("RELEASE work")
            return _Done(answer, error=error)
        execute("RELEASE work")
        return _Done(answer, value)

    def _commit(self) -> bool:
        """In the thread. Whether anything was written: a commit without changes succeeds on a full disk too."""
        if not self._connection.in_transaction:
            return False
        changed = self._connection.total_changes > self._changes
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self._undo()
            raise
        self.commits += 1
        return changed

    def _undo(self) -> None:
        """Roll back. Where that fails as well, the next batch does it, or fails by it."""
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _committed(self, done: list[_Done], changed: bool | None, failure: BaseException | None) -> None:
        if changed:
            self._outage.end()
        self._answer(done, failure)

    def _given_up(self) -> list[_Done]:
        """Everything that waits."""
        given_up = [_Done(answer) for _, answer in self._waiting]
        self._waiting.clear()
        return given_up

    def _answer(self, done: list[_Done], failure: BaseException | None) -> None:
        for answer, value, error in done:
            if answer.done():  # its caller went away; it is committed all the same
                continue
            if failure is not None:
                answer.set_exception(self._not_written(failure))
            elif error is not None:
                answer.set_exception(self._not_written(error) if isinstance(error, sqlite3.Error) else error)
            else:
                answer.set_result(value)
        # Not at once: what the answered write next joins the batch.
        self._loop.call_soon(self._batch)

    def _not_written(self, cause: BaseException) -> Exception:
        error = failed("write to", self._path, cause)
        if isinstance(error, Unreachable):
            self._outage.begin(cause)
        return error


class _Lost(Exception):
    """The whole batch was undone."""


class _Later(Exception):
    """The batch has not begun: another program holds the database."""
