"""A transaction over SQL: the collections, on one session."""

from typing import Any

from runstead.store.tables.assistants import SqlAssistants
from runstead.store.tables.deletions import SqlDeletions
from runstead.store.tables.events import SqlEvents
from runstead.store.tables.files import SqlFiles
from runstead.store.tables.idempotency import SqlIdempotency
from runstead.store.tables.ledger import SqlLedger
from runstead.store.tables.messages import SqlMessages
from runstead.store.tables.projects import SqlProjects
from runstead.store.tables.queries import Queries
from runstead.store.tables.runs import SqlRuns
from runstead.store.tables.steps import SqlSteps
from runstead.store.tables.store_files import SqlFileBatches, SqlStoreFiles
from runstead.store.tables.table import Session, Table
from runstead.store.tables.threads import SqlThreads
from runstead.store.tables.vector_stores import SqlVectorStores
from runstead.store.tables.webhooks import SqlWebhooks
from runstead.store.tables.workers import SqlWorkers

__all__ = ["SqlTx"]


class SqlTx:
    """`port.Tx`, in SQL. It belongs to a session, and serves all transactions of that session, one after the other.

    A dialect may have its own `table`, for objects that are read, decided on and written back without a lock, and its
    own `runs`.
    """

    def __init__(
        self, session: Session, queries: Queries, table: type[Table[Any]] = Table, runs: type[SqlRuns] = SqlRuns
    ) -> None:
        self.assistants = SqlAssistants(session, queries, table)
        self.projects = SqlProjects(session, queries)
        self.deletions = SqlDeletions(session, queries)
        self.threads = SqlThreads(session, queries, self.deletions)
        self.messages = SqlMessages(session, queries, table)
        self.events = SqlEvents(session, queries)
        self.steps = SqlSteps(session, queries)
        self.runs = runs(session, queries, self.events, self.steps, self.messages)
        self.files = SqlFiles(session, queries)
        self.vector_stores = SqlVectorStores(session, queries, self.deletions)
        self.store_files = SqlStoreFiles(session, queries)
        self.file_batches = SqlFileBatches(session, queries)
        self.workers = SqlWorkers(session, queries)
        self.webhooks = SqlWebhooks(session, queries, self.deletions)
        self.idempotency = SqlIdempotency(session, queries)
        self.ledger = SqlLedger(session, queries)
