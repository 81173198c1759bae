"""The port of the store: one module for each collection, and `transaction` for what holds them together."""

from runstead.store.port.assistants import Assistants
from runstead.store.port.events import Events
from runstead.store.port.idempotency import Idempotency, IdempotencyRecord
from runstead.store.port.ledger import Ledger
from runstead.store.port.messages import Messages
from runstead.store.port.runs import NoRoom, RunRow, Runs, Stale, ThreadBusy
from runstead.store.port.steps import Steps
from runstead.store.port.threads import Threads
from runstead.store.port.transaction import Store, Tx
from runstead.store.port.webhooks import Attempt, Notification, WebhookRow, Webhooks
from runstead.store.port.workers import Workers

__all__ = [
    "Assistants",
    "Attempt",
    "Events",
    "Idempotency",
    "IdempotencyRecord",
    "Ledger",
    "Messages",
    "NoRoom",
    "Notification",
    "RunRow",
    "Runs",
    "Stale",
    "Steps",
    "Store",
    "ThreadBusy",
    "Threads",
    "Tx",
    "WebhookRow",
    "Webhooks",
    "Workers",
]
