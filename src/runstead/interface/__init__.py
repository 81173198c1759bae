"""The interfaces: what can be done, the same in process, over HTTP and in the client."""

from typing import Protocol

from runstead.interface.assistants import Assistants
from runstead.interface.messages import Messages
from runstead.interface.models import Models
from runstead.interface.page import PageOf
from runstead.interface.runs import Runs
from runstead.interface.threads import Threads

__all__ = ["Assistants", "Interface", "Messages", "Models", "PageOf", "Runs", "Threads"]


class Interface(Assistants, Threads, Messages, Runs, Models, Protocol):
    """All of them, in one object."""
