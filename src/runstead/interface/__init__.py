"""The interfaces: what can be done, the same in process, over HTTP and in the client."""

from typing import Protocol

from runstead.interface.administration import Administration
from runstead.interface.assistants import Assistants
from runstead.interface.embeddings import Embeddings
from runstead.interface.messages import Messages
from runstead.interface.models import Models
from runstead.interface.page import PageOf
from runstead.interface.runs import Runs
from runstead.interface.threads import Threads
from runstead.interface.webhooks import Webhooks

__all__ = [
    "Administration",
    "Assistants",
    "Embeddings",
    "Interface",
    "Messages",
    "Models",
    "PageOf",
    "Runs",
    "Threads",
    "Webhooks",
]


class Interface(Assistants, Threads, Messages, Runs, Models, Embeddings, Webhooks, Protocol):
    """Everything that can be done in one project."""
