"""Everything that can be done in one project: the engine as the interface."""

from typing import TYPE_CHECKING

from runstead.engine.resources.assistants import Assistants
from runstead.engine.resources.embeddings import Embeddings
from runstead.engine.resources.files import Files
from runstead.engine.resources.messages import Messages
from runstead.engine.resources.models import Models
from runstead.engine.resources.streams import Streams
from runstead.engine.resources.threads import Threads
from runstead.engine.resources.vector_stores import VectorStores
from runstead.engine.resources.webhooks import Webhooks

if TYPE_CHECKING:
    from runstead.interface import Interface

__all__ = ["Project"]


class Project(Assistants, Threads, Messages, Streams, Files, VectorStores, Models, Embeddings, Webhooks):
    """Implements `interface.Interface` for one project."""


if TYPE_CHECKING:

    def _is_interface(project: Project) -> Interface:
        return project
