"""Everything that can be done in one project: the engine as the interface."""

from typing import TYPE_CHECKING

from runstead.engine.assistants import Assistants
from runstead.engine.messages import Messages
from runstead.engine.models import Models
from runstead.engine.streams import Streams
from runstead.engine.threads import Threads
from runstead.engine.webhooks import Webhooks

if TYPE_CHECKING:
    from runstead.interface import Interface

__all__ = ["Project"]


class Project(Assistants, Threads, Messages, Streams, Models, Webhooks):
    """Implements `interface.Interface` for one project."""


if TYPE_CHECKING:

    def _is_interface(project: Project) -> Interface:
        return project
