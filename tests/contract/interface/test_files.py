"""Files on every deployment: uploaded, listed, read and deleted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest

from runstead.client._async.upload import AsyncUpload
from runstead.client._sync.upload import Upload
from runstead.client.sources import NamedSource
from runstead.engine.resources.project import Project
from runstead.interface import Interface
from runstead.wire.error import ApiError, BadRequest, NotFound
from runstead.wire.file import File, FileContent, FileExpiry, FileRequest
from runstead.wire.struct import UNSET, SortOrder
from tests.contract.interface.deployments import InThreads
from tests.contract.interface.harness import Harness
from tests.contract.interface.test_refusals import refusal
from tests.support.waiting import within

BIG = bytes(range(256)) * 12_000
"""Three megabytes: several chunks."""
NAME = "Übersicht \U0001f4a9 (2).pdf"


async def upload(harness: Harness, content: Any = b"abc", name: str = "a.txt", **fields: Any) -> File:
    """Upload a file, by the form that the deployment takes."""
    kind = Upload if isinstance(harness.rs, InThreads) else AsyncUpload
    form: Any = kind(FileRequest(**{"purpose": "assistants"} | fields), {"file": NamedSource(content, name)})
    async with within():
        return await harness.rs.create_file(form)


async def content(harness: Harness, file_id: str) -> bytes:
    """The content of a file, however the deployment gives it."""
    found: Any = await harness.rs.file_content(file_id)
    if isinstance(harness.rs, InThreads):
        return await asyncio.to_thread(lambda: b"".join(found))
    chunks: AsyncIterator[bytes] = found.read(0, found.size) if isinstance(found, FileContent) else found
    return b"".join([chunk async for chunk in chunks])


async def ids(harness: Harness, **query: Any) -> list[str]:
    return [file.id for file in (await harness.rs.files(**query)).data]


async def test_a_file_comes_back_as_it_was_uploaded(harness: Harness, tmp_path: Path) -> None:
    file = await upload(harness, BIG, NAME, purpose="user_data")
    assert (file.object, file.filename, file.bytes, file.purpose) == ("file", NAME, len(BIG), "user_data")
    assert (file.status, file.status_details, file.expires_at) == ("processed", None, None)
    assert file.id.startswith("file-")
    assert len(file.id) == 27
    assert await harness.rs.get_file(file.id) == file
    assert await content(harness, file.id) == BIG
    path = tmp_path / "by path.bin"
    path.write_bytes(b"")
    empty = await upload(harness, path, "")
    assert (empty.bytes, empty.filename) == (0, "by path.bin")
    assert await content(harness, empty.id) == b""


async def test_files_are_listed_in_order_by_purpose_and_in_pages(harness: Harness) -> None:
    made = [(await upload(harness, purpose=purpose)).id for purpose in ("vision", "batch", "vision")]
    assert await ids(harness) == made[::-1]
    assert await ids(harness, order=SortOrder.ASC) == made
    assert await ids(harness, purpose="vision") == [made[2], made[0]]
    assert await ids(harness, purpose="assistants_output") == []
    page = await harness.rs.files(limit=2)
    assert (page.first_id, page.last_id, page.has_more) == (made[2], made[1], True)
    assert await ids(harness, after=page.last_id) == [made[0]]
    assert await ids(harness, limit=10_000, before=made[1], order=SortOrder.ASC) == [made[0]]


async def test_a_deleted_file_is_gone_at_once(harness: Harness) -> None:
    file = await upload(harness)
    gone = await harness.rs.delete_file(file.id)
    assert (gone.id, gone.object, gone.deleted) == (file.id, "file", True)
    for call in (harness.rs.get_file, harness.rs.file_content, harness.rs.delete_file):
        error = await refusal(call(file.id))
        assert (type(error), error.message, error.param) == (NotFound, f"No such File object: {file.id}", "id")
    assert await ids(harness) == []


async def test_an_expiry_is_counted_from_the_creation(harness: Harness) -> None:
    file = await upload(harness, expires_after=FileExpiry(anchor="created_at", seconds=3600))
    assert file.expires_at == file.created_at + 3600
    batch = await upload(harness, purpose="batch")
    assert batch.expires_at == batch.created_at + 30 * 86_400


Call: TypeAlias = Callable[[Harness], Any]
REFUSED: list[tuple[str, type[ApiError], str, str | None, Call]] = [
    ("unknown", NotFound, "No such File object: fake_id", "id", lambda it: it.rs.get_file("fake_id")),
    ("odd id", NotFound, "No such File object: a b", "id", lambda it: it.rs.file_content("a b")),
    ("no id", NotFound, "No such File object: file-\U0001f4a9", "id", lambda it: it.rs.delete_file("file-\U0001f4a9")),
    ("cursor", NotFound, "No file found with id 'file-1'.", None, lambda it: it.rs.files(after="file-1")),
    (
        "limit", BadRequest,
        "Invalid 'limit': integer above maximum value. Expected a value <= 10000, but got 10001 instead.", "limit",
        lambda it: it.rs.files(limit=10_001),
    ),
    (
        "purpose", BadRequest,
        "'spying' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'",
        "purpose", lambda it: upload(it, purpose="spying"),
    ),
    (
        "made by tools", BadRequest,
        "'assistants_output' is not one of "
        "['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'",
        "purpose", lambda it: upload(it, purpose="assistants_output"),
    ),
    (
        "listed purpose", BadRequest,
        "'other' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'",
        "purpose", lambda it: it.rs.files(purpose="other"),
    ),
    (
        "expiry", BadRequest,
        "Invalid 'expires_after.seconds': integer below minimum value. Expected a value >= 3600, but got 1 instead.",
        "expires_after.seconds", lambda it: upload(it, expires_after=FileExpiry(anchor="created_at", seconds=1)),
    ),
]  # fmt: skip


REFUSALS = [case[0] for case in REFUSED]


@pytest.mark.parametrize(("kind", "message", "param", "call"), [case[1:] for case in REFUSED], ids=REFUSALS)
async def test_bad_input_is_refused_and_changes_nothing(
    harness: Harness, kind: type[ApiError], message: str, param: str | None, call: Call
) -> None:
    if isinstance(harness.rs, Project) and param in {"limit", "expires_after.seconds"}:
        return  # values are checked before they reach the engine
    error = await refusal(call(harness))
    assert (type(error), error.message, error.param) == (kind, message, param)
    assert await ids(harness) == []


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\secret\\plan.doc", "plan.doc"),
        ("a\tb\n\x1b[31m\x7f\u202ec.txt", "ab[31mc.txt"),
        ("<b>&'\"%00.html", "<b>&'\"%00.html"),
        ("x" * 4000 + ".pdf", "x" * 251 + ".pdf"),
        ("..", ".."),
    ],
)
async def test_a_name_is_data_and_never_a_path(harness: Harness, given: str, stored: str) -> None:
    file = await upload(harness, b"abc", given)
    assert file.filename == stored
    assert await content(harness, file.id) == b"abc"


async def test_a_name_may_be_a_field_of_the_form(harness: Harness) -> None:
    file = await upload(harness, b"abc", "part.bin", filename="folder/report.txt")
    assert file.filename == "report.txt"


async def test_a_retried_upload_is_stored_once(harness: Harness) -> None:
    """The client's key makes a retry recognisable, whatever the boundary of its form."""
    client: Any = harness.rs
    if isinstance(client, Project):
        return  # the engine itself is given no keys
    once = InThreads(client._client.once("order-1")) if isinstance(client, InThreads) else client.once("order-1")
    again = Harness(cast("Interface", once), harness.model, [])
    first, second = await upload(again, BIG), await upload(again, BIG)
    assert first == second
    assert await ids(harness) == [first.id]
    error = await refusal(upload(again, b"other"))
    assert error.code == "idempotency_key_reused"
    assert await ids(harness) == [first.id]


async def test_progress_is_counted_in_bytes(harness: Harness) -> None:
    client: Any = harness.rs
    if isinstance(client, Project):
        return
    sent: list[int] = []
    file = await client.upload_file(BIG, "vision", expires_after=3600, progress=sent.append)
    assert file.expires_at is not UNSET
    assert sent[-1] == len(BIG)
