"""Assistants, over the store."""

from collections.abc import Sequence

from msgspec.structs import replace

from runstead.domain import chosen_defaults, creation, ids
from runstead.domain.creation import value_or
from runstead.engine.file_references import check_resources, files_of, with_existing_files
from runstead.engine.resources.scope import Bound, found, page_of
from runstead.engine.resources.store_references import StoreReferences, fills_stores, names_stores
from runstead.store.port import AssistantRow, Tx
from runstead.wire.assistant import Assistant, AssistantDeleted, AssistantRequest, AssistantUpdate
from runstead.wire.page import ListQuery, Page
from runstead.wire.struct import UNSET, SortOrder

__all__ = ["Assistants"]


class Assistants(Bound):
    """Implements `interface.Assistants`."""

    async def create_assistant(self, request: AssistantRequest) -> Assistant:
        made = creation.assistant(request, self._adapters.new_id("asst"), self._adapters.now())

        async def work(tx: Tx) -> Assistant:
            await check_resources(tx, self._project, made.tool_resources, made.created_at)
            assistant = await self._with_stores(tx, made)
            await tx.assistants.insert(self._project, AssistantRow(assistant, chosen_defaults.in_request(request)))
            return assistant

        names_none = not files_of(made.tool_resources) and not names_stores(made.tool_resources)
        assistant = await self._write(work, single=names_none)
        self._adapters.ingest(fills_stores(made.tool_resources))
        return assistant

    async def get_assistant(self, assistant_id: str) -> Assistant:
        ids.check(assistant_id=assistant_id)

        async def work(tx: Tx) -> Assistant:
            row = await tx.assistants.get(self._project, assistant_id)
            return (await self._shown_assistants(tx, [found("assistant", assistant_id, row).assistant]))[0]

        return await self._read(work)

    async def update_assistant(self, assistant_id: str, request: AssistantUpdate) -> Assistant:
        ids.check(assistant_id=assistant_id)

        async def work(tx: Tx) -> Assistant:
            before = found("assistant", assistant_id, await tx.assistants.get(self._project, assistant_id))
            await check_resources(tx, self._project, request.tool_resources, self._adapters.now())
            after = creation.updated_assistant(before.assistant, request)
            if request.tool_resources is not UNSET:
                after = await self._with_stores(tx, after)
            row = AssistantRow(after, chosen_defaults.of_update(before.chosen_defaults, request))
            await tx.assistants.replace(self._project, row)
            return (await self._shown_assistants(tx, [after]))[0]

        after = await self._write(work)
        self._adapters.ingest(fills_stores(value_or(request.tool_resources, None)))
        return after

    async def delete_assistant(self, assistant_id: str) -> AssistantDeleted:
        ids.check(assistant_id=assistant_id)

        async def work(tx: Tx) -> None:
            gone = await tx.assistants.delete(self._project, assistant_id)
            found("assistant", assistant_id, gone or None)
            await tx.idempotency.erase(self._project, assistant_id)

        await self._write(work)
        return AssistantDeleted(id=assistant_id)

    async def assistants(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[Assistant]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)

        async def work(tx: Tx) -> Page[Assistant]:
            page = await page_of("assistant", query, lambda query: tx.assistants.page(self._project, query))
            return replace(page, data=await self._shown_assistants(tx, page.data))

        return await self._read(work)

    async def _with_stores(self, tx: Tx, assistant: Assistant) -> Assistant:
        resources = await StoreReferences(tx, self._adapters, self._project).made(assistant.tool_resources)
        return replace(assistant, tool_resources=resources)

    async def _shown_assistants(self, tx: Tx, assistants: Sequence[Assistant]) -> list[Assistant]:
        return await with_existing_files(tx, self._project, assistants, self._adapters.now())
