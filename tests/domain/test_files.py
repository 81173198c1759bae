"""The rules for files and images."""

import pytest

from runstead.domain.files import expiry, stored_name
from runstead.domain.images import HEAD, check_image, image_type
from runstead.wire.error import BadRequest
from runstead.wire.file import FileExpiry, FileRequest

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(12), "image/jpeg"),
        (b"GIF89a" + bytes(10), "image/gif"),
        (b"GIF87a" + bytes(10), "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"<svg xmlns='http", None),
        (b"BM" + bytes(14), None),
        (b"\x89PNG", None),
        (b"", None),
    ],
)
def test_the_kind_of_an_image_is_detected_from_its_bytes(head: bytes, kind: str | None) -> None:
    assert image_type(head) == kind
    assert image_type(head[:HEAD]) == kind


def test_only_images_up_to_20_mb_are_shown() -> None:
    check_image("file-1", "image/png", 20 * 1024 * 1024)
    with pytest.raises(BadRequest, match="is not an image. Supported images are: png, jpeg, gif, and webp."):
        check_image("file-1", None, 10)
    with pytest.raises(BadRequest, match="has 20,971,521 bytes. At most 20,971,520 are accepted."):
        check_image("file-1", "image/png", 20 * 1024 * 1024 + 1)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("a.txt", "a.txt"),
        ("日本語 \U0001f4a9.md", "日本語 \U0001f4a9.md"),
        ("/tmp/x/", "file"),
        ("\\\\host\\share\\a.txt", "a.txt"),
        ("\0\r\n", "file"),
        ("\ud800a", "a"),
        ("x" * 300, "x" * 255),
        ("x" * 300 + ".tar.gz", "x" * 252 + ".gz"),
        ("." + "x" * 300, "." + "x" * 254),
        ("a." + "x" * 300, "a." + "x" * 253),
    ],
)
def test_a_name_has_no_folders_and_no_control_characters(given: str, stored: str) -> None:
    assert stored_name(given) == stored
    assert stored_name(stored) == stored


def test_a_file_of_a_batch_expires_unless_it_says_otherwise() -> None:
    assert expiry(FileRequest(purpose="assistants"), 100) is None
    assert expiry(FileRequest(purpose="batch"), 100) == 100 + 2_592_000
    after = FileExpiry(anchor="created_at", seconds=3600)
    assert expiry(FileRequest(purpose="batch", expires_after=after), 100) == 3700
