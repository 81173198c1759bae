"""Files with the official client."""

from io import BytesIO

import httpx2
import msgspec
import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from tests.compat.script import Script, refused

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
BIG = bytes(range(256)) * 5000


def test_a_file_is_uploaded_found_read_and_deleted(client: OpenAI) -> None:
    made = client.files.create(file=("Bericht ü.pdf", BIG), purpose="assistants")
    assert made.id.startswith("file-")
    assert (made.object, made.filename, made.bytes, made.status) == ("file", "Bericht ü.pdf", len(BIG), "processed")
    assert made.to_dict(exclude_unset=False)["expires_at"] is None
    assert client.files.retrieve(made.id) == made
    assert client.files.wait_for_processing(made.id) == made
    assert client.files.content(made.id).read() == BIG
    with client.files.with_streaming_response.content(made.id) as streamed:
        assert b"".join(streamed.iter_bytes()) == BIG
    gone = client.files.delete(made.id)
    assert (gone.id, gone.object, gone.deleted) == (made.id, "file", True)
    with refused(NotFoundError, f"No such File object: {made.id}", param="id"):
        client.files.retrieve(made.id)


def test_an_expiry_is_a_bracketed_field(client: OpenAI) -> None:
    made = client.files.create(
        file=BytesIO(b"{}"), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert made.expires_at == made.created_at + 3600
    with refused(
        BadRequestError,
        "Invalid 'expires_after.seconds': integer above maximum value. "
        "Expected a value <= 2592000, but got 2592001 instead.",
        param="expires_after.seconds",
        code="integer_above_max_value",
    ):
        client.files.create(file=b"{}", purpose="batch", expires_after={"anchor": "created_at", "seconds": 2_592_001})


def test_files_are_listed_by_purpose_over_all_pages(client: OpenAI) -> None:
    made = [client.files.create(file=b"x", purpose=p).id for p in ("vision", "user_data", "vision")]
    assert [file.id for file in client.files.list(purpose="vision")] == [made[2], made[0]]
    assert [file.id for file in client.files.list(limit=1, order="asc")] == made


def test_bad_uploads_are_refused_in_the_words_of_the_original(client: OpenAI) -> None:
    with refused(
        BadRequestError,
        "'x' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'",
        param="purpose",
        code="invalid_value",
    ):
        client.files.create(file=b"x", purpose="x")  # type: ignore[arg-type]
    assert client.files.list().data == []


@pytest.mark.parametrize(
    ("asked", "status", "content", "range_"),
    [
        ("bytes=2-4", 206, b"cde", "bytes 2-4/10"),
        ("bytes=-3", 206, b"hij", "bytes 7-9/10"),
        ("bytes=8-", 206, b"ij", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"ij", "bytes 8-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=1-2,4-5", 200, b"abcdefghij", None),
        ("lines=1-2", 200, b"abcdefghij", None),
    ],
)
def test_a_range_of_a_file_is_read(client: OpenAI, asked: str, status: int, content: bytes, range_: str | None) -> None:
    made = client.files.create(file=('a"b ü\r\n.html', b"abcdefghij", "text/html"), purpose="assistants")
    response = httpx2.get(f"{client.base_url}files/{made.id}/content", headers={"Range": asked})
    assert (response.status_code, response.content, response.headers.get("content-range")) == (status, content, range_)
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == (
        "attachment; filename=\"a_b _.html\"; filename*=UTF-8''a%22b%20%C3%BC.html"
    )
    assert response.headers["x-content-type-options"] == "nosniff"


def test_an_uploaded_image_is_shown_to_the_model(client: OpenAI, model: Script) -> None:
    image = client.files.create(file=("a.png", PNG), purpose="vision")
    assistant = client.beta.assistants.create(model="gpt-4o")
    model.says("A picture.")
    thread = client.beta.threads.create(
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_file", "image_file": {"file_id": image.id}},
                ],
            }
        ]
    )
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert run.status == "completed"
    sent = msgspec.json.decode(msgspec.json.encode(model.requests[-1].messages))
    [shown] = [part for part in sent[-1]["content"] if part["type"] == "image_url"]
    assert shown["image_url"]["url"].startswith("data:image/png;base64,iVBORw0KGgo")
    with refused(NotFoundError, "No such File object: file-missing", param="id"):
        client.beta.threads.messages.create(
            thread.id, role="user", content="Hi", attachments=[{"file_id": "file-missing", "tools": []}]
        )
