"""A transaction over SQL: the collections, on one session."""

from typing import Any

from runstead.store.answers import SqlAnswers
from runstead.store.collections import SqlAssistants, SqlMessages, SqlSteps, SqlThreads
from runstead.store.events import SqlEvents
from runstead.store.ledger import SqlLedger
from runstead.store.queries import Queries
from runstead.store.runs import SqlRuns
from runstead.store.session import Session
from runstead.store.table import Table
from runstead.store.webhooks import SqlWebhooks
from runstead.store.workers import SqlWorkers

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
        self.answers = SqlAnswers(session, queries)
        self.ledger = SqlLedger(session, queries)
