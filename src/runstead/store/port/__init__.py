"""The port of the store: one module for each collection, and `transaction` for the transaction over them."""

from runstead.store.port.assistants import AssistantRow, Assistants
from runstead.store.port.deletions import Deletions
from runstead.store.port.events import Events
from runstead.store.port.files import FileRow, Files
from runstead.store.port.idempotency import Idempotency, IdempotencyRecord
from runstead.store.port.lane import Lane
from runstead.store.port.ledger import Ledger
from runstead.store.port.messages import Messages, Newest
from runstead.store.port.projects import Limits, ProjectRow, Projects
from runstead.store.port.runs import (
    Applied,
    Claimable,
    Created,
    NoRoom,
    Opening,
    RunRow,
    Runs,
    Stale,
    ThreadBusy,
    Unknown,
)
from runstead.store.port.steps import Steps
from runstead.store.port.threads import Threads
from runstead.store.port.transaction import Presence, Store, Tx
from runstead.store.port.vector_stores import (
    FileBatches,
    IndexRemoval,
    IngestionJob,
    StoreFiles,
    VectorStoreRow,
    VectorStores,
)
from runstead.store.port.webhooks import Attempt, WebhookRow, Webhooks
from runstead.store.port.workers import Workers

__all__ = [
    "Applied",
    "AssistantRow",
    "Assistants",
    "Attempt",
    "Claimable",
    "Created",
    "Deletions",
    "Events",
    "FileBatches",
    "FileRow",
    "Files",
    "Idempotency",
    "IdempotencyRecord",
    "IndexRemoval",
    "IngestionJob",
    "Lane",
    "Ledger",
    "Limits",
    "Messages",
    "Newest",
    "NoRoom",
    "Opening",
    "Presence",
    "ProjectRow",
    "Projects",
    "RunRow",
    "Runs",
    "Stale",
    "Steps",
    "Store",
    "StoreFiles",
    "ThreadBusy",
    "Threads",
    "Tx",
    "Unknown",
    "VectorStoreRow",
    "VectorStores",
    "WebhookRow",
    "Webhooks",
    "Workers",
]
