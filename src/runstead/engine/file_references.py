"""References to files, in vector stores, messages, and tool resources of assistants and threads.

A file that is deleted, or that expires, is missing in tool resources from then on: they are shown without it. No row
is written for that, so a file that thousands of threads name is deleted as quickly as any other.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from runstead.domain.files import no_file
from runstead.domain.ids import is_id
from runstead.domain.images import check_image, image_ids
from runstead.engine.idempotency import subject
from runstead.engine.retrieval.texts import text_blob
from runstead.store.port import FileRow, Tx
from runstead.wire.assistant import Assistant
from runstead.wire.message import Message
from runstead.wire.struct import UNSET, UnsetType
from runstead.wire.thread import Thread
from runstead.wire.tool import ToolResources

__all__ = ["check_files", "check_messages", "check_resources", "files_of", "forget_file", "with_existing_files"]

A = TypeVar("A", Assistant, Thread)


async def forget_file(tx: Tx, project: str, file: FileRow, now: int) -> None:
    """Remove what belongs to a deleted file, in the same transaction: its places in vector stores, its stored text, and
    its recorded replies.
    """
    for store_id in sorted(await tx.store_files.stores_of(project, file.id)):
        await tx.vector_stores.get(project, store_id, now)  # a lock, before the file's
        await tx.store_files.remove(project, store_id, file.id, now)
        await tx.idempotency.erase(project, subject(store_id, file.id))
    await tx.files.mark_blob(text_blob(file.blob), now)
    await tx.idempotency.erase(project, file.id)


async def check_files(tx: Tx, project: str, file_ids: Iterable[str], now: int) -> dict[str, FileRow]:
    """The files with these ids. `NotFound` names the first one that does not exist."""
    wanted = list(dict.fromkeys(file_ids))
    known = await tx.files.get_many(project, [file_id for file_id in wanted if is_id(file_id)], now)
    for file_id in wanted:
        if file_id not in known:
            raise no_file(file_id)
    return known


async def check_messages(tx: Tx, project: str, messages: Iterable[Message], now: int) -> None:
    """The images and attachments of new messages: `NotFound` if a file does not exist, `BadRequest` for an image that
    models cannot be shown.
    """
    messages = list(messages)
    images = image_ids(messages)
    attached = [file.file_id for message in messages for file in message.attachments or () if file.file_id is not UNSET]
    if not images and not attached:
        return
    known = await check_files(tx, project, (*images, *attached), now)
    for file_id in images:
        check_image(file_id, known[file_id].image_type, known[file_id].file.bytes)


async def check_resources(tx: Tx, project: str, resources: ToolResources | None | UnsetType, now: int) -> None:
    """The files of new tool resources: `NotFound` if one does not exist."""
    if resources is not UNSET and (named := files_of(resources)):
        await check_files(tx, project, named, now)


async def with_existing_files(tx: Tx, project: str, items: Sequence[A], now: int) -> list[A]:
    """The assistants or threads, without files that do not exist any more."""
    named = {file_id for item in items for file_id in files_of(item.tool_resources)}
    if not named:
        return list(items)
    known = await tx.files.get_many(project, sorted(named), now)
    return [_without(item, named - known.keys()) for item in items]


def files_of(resources: ToolResources | None) -> Sequence[str]:
    """The ids of the files that the code interpreter is given."""
    if resources is None or resources.code_interpreter is UNSET:
        return ()
    return resources.code_interpreter.file_ids


def _without(item: A, missing: set[str]) -> A:
    resources = item.tool_resources
    if resources is None or resources.code_interpreter is UNSET or not missing.intersection(files_of(resources)):
        return item
    left = [file_id for file_id in resources.code_interpreter.file_ids if file_id not in missing]
    code = replace(resources.code_interpreter, file_ids=left)
    return replace(item, tool_resources=replace(resources, code_interpreter=code))
