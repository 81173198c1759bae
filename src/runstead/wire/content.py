"""The content of a message: parts as the server returns them, and parts as a client sends them."""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from runstead.wire.struct import Object, Request

__all__ = [
    "Annotation",
    "CitedFile",
    "Content",
    "ContentPart",
    "FileCitation",
    "FilePath",
    "ImageFile",
    "ImageFilePart",
    "ImageUrl",
    "ImageUrlPart",
    "InputContent",
    "InputPart",
    "PathFile",
    "RefusalPart",
    "Text",
    "TextInput",
    "TextPart",
]

ImageDetail: TypeAlias = Literal["auto", "low", "high"]


class CitedFile(Object, frozen=True, kw_only=True):
    """The file that a citation refers to. Only deltas have a `quote`."""

    file_id: str
    quote: str | UnsetType = UNSET


class FileCitation(Object, frozen=True, kw_only=True, tag_field="type", tag="file_citation"):
    """The characters `[start_index, end_index)` of the text cite a file."""

    text: str
    start_index: int
    end_index: int
    file_citation: CitedFile


class PathFile(Object, frozen=True, kw_only=True):
    """The file at a path."""

    file_id: str


class FilePath(Object, frozen=True, kw_only=True, tag_field="type", tag="file_path"):
    """The characters `[start_index, end_index)` of the text are the path of a file that a tool created."""

    text: str
    start_index: int
    end_index: int
    file_path: PathFile


Annotation: TypeAlias = FileCitation | FilePath


class Text(Object, frozen=True, kw_only=True):
    """Text with its annotations."""

    value: str
    annotations: list[Annotation] = field(default_factory=list)


class ImageFile(Request, frozen=True, kw_only=True):
    """An uploaded image."""

    file_id: str
    detail: ImageDetail = "auto"


class ImageUrl(Request, frozen=True, kw_only=True):
    """An image at an http, https or data URL."""

    url: Annotated[str, Meta(min_length=1)]
    detail: ImageDetail = "auto"


class TextPart(Object, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Text, as the server returns it."""

    text: Text


class RefusalPart(Object, frozen=True, kw_only=True, tag_field="type", tag="refusal"):
    """The model's refusal to answer."""

    refusal: str


class ImageFilePart(Request, frozen=True, kw_only=True, tag_field="type", tag="image_file"):
    """An uploaded image in a message."""

    image_file: ImageFile


class ImageUrlPart(Request, frozen=True, kw_only=True, tag_field="type", tag="image_url"):
    """An image in a message, by its URL."""

    image_url: ImageUrl


class TextInput(Request, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Text, as a client sends it: a string without annotations."""

    text: Annotated[str, Meta(max_length=256_000)]


ContentPart: TypeAlias = TextPart | RefusalPart | ImageFilePart | ImageUrlPart
Content: TypeAlias = list[ContentPart]
InputPart: TypeAlias = TextInput | ImageFilePart | ImageUrlPart
InputParts: TypeAlias = Annotated[list[InputPart], Meta(min_length=1, max_length=500)]
InputContent: TypeAlias = Annotated[str, Meta(max_length=256_000)] | InputParts
