"""The interfaces: what can be done, the same in process, over HTTP and in the client."""

from typing import Protocol

from runstead.interface.administration import Administration
from runstead.interface.assistants import Assistants
from runstead.interface.embeddings import Embeddings
from runstead.interface.files import Files
from runstead.interface.messages import Messages
from runstead.interface.models import Models
from runstead.interface.page import PageOf
from runstead.interface.runs import Runs
from runstead.interface.threads import Threads
from runstead.interface.vector_stores import VectorStores
from runstead.interface.webhooks import Webhooks

__all__ = [
    "Administration",
    "Assistants",
    "Embeddings",
    "Files",
    "Interface",
    "Messages",
    "Models",
    "Objects",
    "PageOf",
    "Runs",
    "Threads",
    "VectorStores",
    "Webhooks",
]


class Objects(Assistants, Threads, Messages, Runs, VectorStores, Models, Embeddings, Webhooks, Protocol):
    """The calls that take and return objects alone. A client has them with these very types."""


class Interface(Objects, Files, Protocol):
    """Everything that can be done in one project. A client has types of its own for the bytes of files."""
