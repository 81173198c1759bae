"""Uploaded images: models get their bytes, and a note for a deleted one."""

from typing import Any

import msgspec
import pytest

from runstead.wire.content import ImageFile, ImageFilePart, TextInput
from runstead.wire.error import BadRequest, NotFound
from runstead.wire.message import MessageRequest
from runstead.wire.run import RunRequest
from runstead.wire.thread import ThreadRequest
from tests.engine.uploads import upload
from tests.support.worlds import World, world

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels, and more pixels"
URL = "data:image/png;base64,iVBORw0KGgpwaXhlbHMsIGFuZCBtb3JlIHBpeGVscw=="


def showing(*file_ids: str, detail: Any = "auto") -> MessageRequest:
    images = [ImageFilePart(image_file=ImageFile(file_id=file_id, detail=detail)) for file_id in file_ids]
    return MessageRequest(role="user", content=[TextInput(text="Look"), *images])


async def asked(here: World, *messages: MessageRequest) -> list[Any]:
    """The parts of these messages in the prompt."""
    thread = await here.project.create_thread(ThreadRequest(messages=list(messages)))
    run = await here.project.create_run(thread.id, RunRequest(assistant_id=await here.assistant()))
    assert (await here.ended(run)).status == "completed"
    sent = msgspec.json.decode(msgspec.json.encode(here.model.requests[-1].messages))
    return [message["content"] for message in sent]


async def test_the_media_type_of_an_image_is_detected_from_its_bytes() -> None:
    async with world(["A cat."]) as here:
        file = await upload(here, PNG, "picture.txt", purpose="vision")
        [content] = await asked(here, showing(file.id, detail="low"))
        assert content == [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": {"url": URL, "detail": "low"}},
        ]


async def test_an_image_that_was_deleted_becomes_a_note() -> None:
    async with world(["A cat.", "Gone."]) as here:
        file = await upload(here, PNG)
        thread = await here.project.create_thread(ThreadRequest(messages=[showing(file.id)]))
        await here.project.delete_file(file.id)
        run = await here.project.create_run(thread.id, RunRequest(assistant_id=await here.assistant()))
        assert (await here.ended(run)).status == "completed"
        [message] = here.model.requests[-1].messages
        assert message["content"] == f"Look\n[image {file.id} is not available]"


async def test_the_newest_images_go_along_as_far_as_they_fit() -> None:
    async with world(["Cats."]) as here:
        files = [await upload(here, PNG + bytes(7 * 1024 * 1024)) for _ in range(3)]
        contents = await asked(here, *(showing(file.id) for file in files))
        assert contents[0] == f"Look\n[image {files[0].id} is not available]"
        assert [part["type"] for content in contents[1:] for part in content] == ["text", "image_url"] * 2
        assert len(contents[1][1]["image_url"]["url"]) > 7 * 1024 * 1024 * 4 / 3


@pytest.mark.parametrize("kind", ["unknown", "text", "large"])
async def test_a_message_with_a_bad_image_is_refused_and_changes_nothing(kind: str) -> None:
    async with world() as here:
        content = PNG + bytes(20 * 1024 * 1024) if kind == "large" else b"<svg/>"
        file_id = "file-9" if kind == "unknown" else (await upload(here, content, "a.png")).id
        thread_id = await here.thread()
        with pytest.raises(NotFound if kind == "unknown" else BadRequest) as refused:
            await here.project.create_message(thread_id, showing(file_id))
        assert (
            refused.value.message
            == {
                "unknown": "No such File object: file-9",
                "text": f"Invalid 'image_file': the file '{file_id}' is not an image. "
                "Supported images are: png, jpeg, gif, and webp.",
                "large": f"Invalid 'image_file': the image '{file_id}' has 20,971,551 bytes. "
                "At most 20,971,520 are accepted.",
            }[kind]
        )
        assert (await here.project.messages(thread_id)).data == []
