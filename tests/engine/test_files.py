"""Files in the engine: quotas, uploads that fail, expiry, deletion, and the remains of a crash."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from runstead.blobs.local import LocalBlobs
from runstead.domain import ids
from runstead.engine.check import Examined, examine_files
from runstead.interface.transfer import Disconnected
from runstead.store.port import ProjectRow
from runstead.wire.assistant import AssistantRequest, AssistantUpdate
from runstead.wire.error import BadRequest, NotFound, TooLarge, Unconfirmed, Unreachable
from runstead.wire.file import FileExpiry
from runstead.wire.message import Attachment, MessageRequest
from runstead.wire.run import RunRequest, ThreadRunRequest
from runstead.wire.thread import Thread, ThreadRequest, ThreadUpdate
from runstead.wire.tool import CodeInterpreterResources, ToolResources
from runstead.worker.maintenance.sweep_files import sweep_blobs_once, sweep_files_once
from tests.engine.uploads import blobs_of, broken, content_of, form, upload
from tests.support.waiting import until
from tests.support.worlds import World, world

CENTURY = 86_400 * 365 * 100


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(blobs=LocalBlobs(tmp_path / "blobs"), max_file_bytes=100) as here:
        yield here


def named(*file_ids: str) -> ToolResources:
    return ToolResources(code_interpreter=CodeInterpreterResources(file_ids=list(file_ids)))


async def problems(here: World) -> list[str]:
    """The findings of the checker."""
    found: list[str] = []
    await examine_files(
        here.adapters.store, here.adapters.blobs, Examined(), lambda violation: found.append(str(violation)), part=1
    )
    return found


async def until_blobs(here: World, number: int) -> None:
    """Wait until the maintenance loop has left so many blobs."""

    async def are_left() -> bool:
        return len(await blobs_of(here)) == number

    await until(are_left)


async def count(here: World) -> int:
    return len((await here.project.files()).data)


async def test_the_files_of_a_project_have_a_limit_together(here: World) -> None:
    first = await upload(here, bytes(60))
    with pytest.raises(BadRequest, match="would have more than 100 bytes together") as refused:
        await upload(here, bytes(41))
    assert (refused.value.param, refused.value.code) == ("file", "file_storage_exceeded")
    await upload(here, bytes(40))
    with pytest.raises(BadRequest, match="more than 100 bytes"):
        await upload(here, b"")  # before anything is read
    await here.project.delete_file(first.id)
    await here.adapters.store.write(
        lambda tx: tx.projects.put(ProjectRow(name="default", created_at=1, max_file_bytes=41))
    )
    with pytest.raises(BadRequest, match="more than 41 bytes"):
        await upload(here, bytes(2))
    assert await count(here) == 1
    await sweep_files_once(here.adapters)
    assert len(await blobs_of(here)) == 1


async def test_uploads_side_by_side_do_not_exceed_the_limit(here: World) -> None:
    results = await asyncio.gather(*(upload(here, bytes(30)) for _ in range(8)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, BadRequest)]
    assert (len(results) - len(refused), len(refused)) == (3, 5)
    assert len(await blobs_of(here)) == await count(here) == 3
    assert await problems(here) == []


@pytest.mark.parametrize(
    "error",
    [Disconnected("gone"), OSError("unplugged"), asyncio.CancelledError()],
    ids=lambda each: type(each).__name__,
)
async def test_an_upload_that_breaks_off_leaves_nothing(here: World, error: Any) -> None:
    with pytest.raises(type(error)):
        await upload(here, broken(50, error))
    with pytest.raises(BadRequest):
        await upload(here, bytes(50), purpose="nothing")
    assert (await count(here), await blobs_of(here)) == (0, [])
    assert await problems(here) == []


async def test_a_file_above_512_mb_is_refused_while_it_arrives(tmp_path: Path) -> None:
    chunks, taken = [bytes(1024 * 1024)] * 600, 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for chunk in chunks:
            taken += 1
            yield chunk

    async with world(blobs=LocalBlobs(tmp_path / "blobs")) as here:
        with pytest.raises(TooLarge, match="At most 536870912 bytes are accepted") as refused:
            await upload(here, endless())
        assert refused.value.status == 413
        assert taken == 513
        assert (await count(here), await blobs_of(here)) == (0, [])


async def test_a_full_disk_is_no_fault_of_the_request(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any, **__: Any) -> None:
        raise Unreachable("No space left on device")

    monkeypatch.setattr(here.adapters.blobs, "write", full)
    with pytest.raises(Unreachable, match="No space left"):
        await upload(here)
    assert await count(here) == 0


async def test_a_blob_stays_when_its_row_may_have_been_written(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unsure(*_: Any, **__: Any) -> None:
        raise Unconfirmed("connection lost")

    with monkeypatch.context() as patched:
        patched.setattr(here.adapters.store, "write", unsure)
        with pytest.raises(Unconfirmed):
            await upload(here)
    assert len(await blobs_of(here)) == 1
    await here.clock.advance(CENTURY)
    await until_blobs(here, 0)


async def test_expired_files_are_deleted_with_their_content(here: World) -> None:
    file = await upload(here, bytes(30), expires_after=FileExpiry(anchor="created_at", seconds=3600))
    kept = await upload(here, bytes(30))
    await here.clock.advance(3600)
    with pytest.raises(NotFound):
        await here.project.get_file(file.id)
    with pytest.raises(NotFound):
        await here.project.delete_file(file.id)
    await until_blobs(here, 1)
    assert await content_of(here, kept.id) == bytes(30)
    assert await here.adapters.store.read(lambda tx: tx.files.usage("default")) == 30
    assert await problems(here) == []


async def test_the_loop_removes_blobs_of_deleted_files(here: World) -> None:
    file = await upload(here)
    await here.project.delete_file(file.id)
    await here.clock.advance(10)
    await until_blobs(here, 0)


async def test_a_sweep_removes_old_blobs_without_a_row_and_no_other(here: World) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"x"

    kept = await upload(here)
    for name in (here.adapters.new_id("content"), "part_of_another_kind"):
        await here.adapters.blobs.write(name, content(), limit=1)
    assert await sweep_blobs_once(here.adapters) == 0  # they are new, or by this clock not even written yet
    await here.clock.advance(CENTURY)
    await until_blobs(here, 2)
    assert await sweep_blobs_once(here.adapters) == 0
    assert await content_of(here, kept.id) == b"abc"


async def test_the_checker_reports_blobs_that_are_missing_or_cut_off(here: World, tmp_path: Path) -> None:
    missing, cut = await upload(here, b"abc"), await upload(here, b"defg")
    await upload(here)
    assert await problems(here) == []
    for path in (tmp_path / "blobs").glob("*/content_*"):
        if path.read_bytes() == b"abc" and path.name == (await _blob(here, missing.id)):
            path.unlink()
        elif path.read_bytes() == b"defg":
            path.write_bytes(b"de")
    found = {problem.partition(":")[0]: problem for problem in await problems(here)}
    assert found.keys() == {missing.id, cut.id}
    assert found[missing.id].startswith(f"{missing.id}: the file has no content: the blob content_")
    assert found[cut.id].startswith(f"{cut.id}: the file has 4 bytes, but its blob content_")


async def _blob(here: World, file_id: str) -> str:
    row = await here.adapters.store.read(lambda tx: tx.files.get("default", file_id, here.adapters.now()))
    assert row is not None
    return row.blob


async def test_files_of_another_project_do_not_exist(here: World) -> None:
    mine = await upload(here)
    theirs = type(here.project)(here.adapters, "another", None)
    for call in (theirs.get_file, theirs.file_content, theirs.delete_file):
        with pytest.raises(NotFound, match=f"No such File object: {mine.id}"):
            await call(mine.id)
    with pytest.raises(NotFound):
        await theirs.files(after=mine.id)
    with pytest.raises(NotFound):
        await theirs.create_thread(ThreadRequest(tool_resources=named(mine.id)))
    assert (await theirs.files()).data == []
    await theirs.create_file(form(bytes(100)))  # it has a limit of its own
    assert await content_of(here, mine.id) == b"abc"


async def test_a_deleted_file_is_missing_in_tool_resources_at_once(here: World) -> None:
    gone, kept = await upload(here), await upload(here)
    assistant = await here.project.create_assistant(AssistantRequest(model="m", tool_resources=named(gone.id, kept.id)))
    thread = await here.project.create_thread(ThreadRequest(tool_resources=named(gone.id)))
    await here.project.delete_file(gone.id)
    assert (await here.project.get_assistant(assistant.id)).tool_resources == named(kept.id)
    assert (await here.project.assistants()).data[0].tool_resources == named(kept.id)
    assert (await here.project.get_thread(thread.id)).tool_resources == named()
    assert (await here.project.threads()).data[0].tool_resources == named()
    updated = await here.project.update_assistant(assistant.id, AssistantUpdate(name="n"))
    assert (updated.name, updated.tool_resources) == ("n", named(kept.id))
    assert (await here.project.update_thread(thread.id, ThreadUpdate(metadata={"a": "b"}))).tool_resources == named()


UNKNOWN = "file-000000000000000000000x"
ATTACHED = MessageRequest(role="user", content="Hi", attachments=[Attachment(file_id=UNKNOWN)])


async def test_a_file_that_does_not_exist_is_refused_wherever_it_is_named(here: World) -> None:
    assistant_id, thread_id = await here.assistant(), await here.thread()
    project = here.project
    calls: list[Any] = [
        project.create_assistant(AssistantRequest(model="m", tool_resources=named(UNKNOWN))),
        project.update_assistant(assistant_id, AssistantUpdate(tool_resources=named(UNKNOWN))),
        project.create_thread(ThreadRequest(tool_resources=named(UNKNOWN))),
        project.create_thread(ThreadRequest(messages=[ATTACHED])),
        project.update_thread(thread_id, ThreadUpdate(tool_resources=named(UNKNOWN))),
        project.create_message(thread_id, ATTACHED),
        project.create_run(thread_id, RunRequest(assistant_id=assistant_id, additional_messages=[ATTACHED])),
        project.create_thread_run(
            ThreadRunRequest(assistant_id=assistant_id, thread=ThreadRequest(messages=[ATTACHED]))
        ),
    ]
    for call in calls:
        with pytest.raises(NotFound, match=f"No such File object: {UNKNOWN}"):
            await call
    assert len((await project.assistants()).data) == len((await project.threads()).data) == 1
    assert (await project.messages(thread_id)).data == []
    assert (await project.runs(thread_id)).data == []
    untouched: Thread = await project.get_thread(thread_id)
    assert untouched.tool_resources == ToolResources()


def test_ids_of_files_have_a_dash() -> None:
    made = ids.make("file", 1_700_000_000_000, bytes(16))
    assert (made[:5], len(made)) == ("file-", 27)
    assert ids.is_id(made)
