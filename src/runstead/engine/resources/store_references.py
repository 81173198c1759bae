"""References to vector stores, in tool resources of assistants, threads and runs, and in attachments."""

from collections.abc import Sequence

from msgspec.structs import replace

from runstead.domain import tool_resources, vector_stores
from runstead.domain.creation import value_or
from runstead.domain.ids import is_id
from runstead.engine.adapters import Adapters
from runstead.engine.file_references import check_files
from runstead.engine.resources.scope import found
from runstead.engine.resources.vector_stores import add_files, check_not_expired, insert_store, the_store
from runstead.store.port import Tx
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.struct import UNSET
from runstead.wire.thread import Thread
from runstead.wire.tool import FileSearchResources, FileSearchTool, NewVectorStore, ToolResources
from runstead.wire.vector_store import StoreExpiry, StoreFileRequest, VectorStore, VectorStoreRequest

__all__ = ["StoreReferences", "attach", "fills_stores", "names_stores"]

_PLACE = "tool_resources.file_search.vector_stores[0]."
"""Where a request has the vector store that is to be made."""
_LIFETIME = StoreExpiry(anchor="last_active_at", days=7)
"""Of a vector store that is made for the attachments of a thread."""


def names_stores(resources: ToolResources | None) -> bool:
    """Whether resources name a vector store, or one is to be made."""
    return resources is not None and resources.file_search is not UNSET and resources.file_search != _NONE


_NONE = FileSearchResources(vector_store_ids=[])


def fills_stores(resources: ToolResources | None, messages: Sequence[Message] = ()) -> bool:
    """Whether files are added to vector stores: they are then due to be indexed."""
    return names_stores(resources) or any(message.attachments for message in messages)


async def attach(tx: Tx, adapters: Adapters, project: str, thread: Thread, messages: Sequence[Message]) -> Thread:
    """Give the thread the files that are attached to its new messages. Returns the thread as it then is stored."""
    if not any(message.attachments for message in messages):
        return thread
    after = await StoreReferences(tx, adapters, project).attached(thread, messages)
    if after != thread:
        await tx.threads.replace(project, after)
    return after


class StoreReferences:
    """The vector stores that one transaction names, makes and fills."""

    def __init__(self, tx: Tx, adapters: Adapters, project: str) -> None:
        self._tx = tx
        self._adapters = adapters
        self._project = project
        self._now = adapters.now()

    async def made(self, resources: ToolResources | None) -> ToolResources | None:
        """The resources to store: with the vector stores that they ask for, which are created.

        `NotFound` if they name a store or a file that does not exist.
        """
        if resources is None or not names_stores(resources):
            return resources
        for store_id in tool_resources.store_ids(resources):
            await self._store(store_id)
        search = resources.file_search
        if search is UNSET or search.vector_stores is UNSET:
            return resources
        ids = [await self._new(wanted) for wanted in search.vector_stores]
        return replace(resources, file_search=FileSearchResources(vector_store_ids=ids))

    async def attached(self, thread: Thread, messages: Sequence[Message]) -> Thread:
        """The thread with the files that are attached to its new messages. A thread without a vector store gets one."""
        resources = thread.tool_resources
        files: list[str] = []
        for message in messages:
            for attachment in message.attachments or ():
                tools = {tool.type for tool in value_or(attachment.tools, [])}
                if attachment.file_id is UNSET:
                    continue
                if "code_interpreter" in tools:
                    resources = tool_resources.with_code_file(resources, attachment.file_id)
                if "file_search" in tools:
                    files.append(attachment.file_id)
        if files:
            resources = await self._filled(resources, list(dict.fromkeys(files)))
        return thread if resources == thread.tool_resources else replace(thread, tool_resources=resources)

    async def check_searchable(self, run: Run, thread: Thread) -> None:
        """`BadRequest` if a run would search in a vector store that has expired, `NotFound` if one does not exist."""
        if not any(isinstance(tool, FileSearchTool) for tool in run.tools):
            return
        for resources in (run.tool_resources, thread.tool_resources):
            for store_id in tool_resources.store_ids(resources):
                check_not_expired(await self._store(store_id))

    async def _new(self, wanted: NewVectorStore) -> str:
        request = VectorStoreRequest(
            file_ids=wanted.file_ids, chunking_strategy=wanted.chunking_strategy, metadata=wanted.metadata
        )
        return await self._insert(request)

    async def _filled(self, resources: ToolResources | None, files: Sequence[str]) -> ToolResources:
        for store_id in tool_resources.store_ids(resources):
            store = await self._store(store_id)
            requests = [StoreFileRequest(file_id=file_id) for file_id in files]
            await add_files(self._tx, self._project, store, requests, self._now)
            return resources or ToolResources()
        id = await self._insert(VectorStoreRequest(file_ids=list(files), expires_after=_LIFETIME))
        return tool_resources.with_store(resources, id)

    async def _insert(self, request: VectorStoreRequest) -> str:
        await check_files(self._tx, self._project, value_or(request.file_ids, []), self._now)
        id = self._adapters.new_id("vs")
        files = vector_stores.first_requests(request, _PLACE)
        await insert_store(self._tx, self._project, id, request, files, self._now)
        return id

    async def _store(self, store_id: str) -> VectorStore:
        if not is_id(store_id):
            return found("vector store", store_id, None)
        return (await the_store(self._tx, self._project, store_id, self._now)).store
