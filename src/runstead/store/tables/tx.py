"""A transaction over SQL: the collections, on one session."""

from typing import Any

from runstead.store.tables.collections import SqlAssistants, SqlMessages, SqlSteps, SqlThreads
from runstead.store.tables.events import SqlEvents
from runstead.store.tables.idempotency import SqlIdempotency
from runstead.store.tables.ledger import SqlLedger
from runstead.store.tables.queries import Queries
from runstead.store.tables.runs import SqlRuns
from runstead.store.tables.session import Session
from runstead.store.tables.table import Table
from runstead.store.tables.webhooks import SqlWebhooks
from runstead.store.tables.workers import SqlWorkers

__all__ = ["SqlTx"]


class SqlTx:
    """`port.Tx`, in SQL. It belongs to a session, and serves all transactions of that session, one after the other.

    `table` is how a dialect keeps what is read, decided on and written back without holding its row.
    """

    def __init__(self, session: Session, queries: Queries, table: type[Table[Any]] = Table) -> None:
        self.assistants = SqlAssistants(session, queries, table)
        self.threads = SqlThreads(session, queries)
        self.messages = SqlMessages(session, queries, table)
        self.events = SqlEvents(session, queries)
        self.runs = SqlRuns(session, queries, self.events)
        self.steps = SqlSteps(session, queries)
        self.workers = SqlWorkers(session, queries)
        self.webhooks = SqlWebhooks(session, queries)
        self.idempotency = SqlIdempotency(session, queries)
        self.ledger = SqlLedger(session, queries)
