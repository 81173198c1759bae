"""A message of a user or an assistant on a thread."""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from runstead.wire.assistant import AssistantId
from runstead.wire.content import Content, InputContent
from runstead.wire.options import OnBusy
from runstead.wire.struct import Metadata, Object, Request, Timestamp

__all__ = [
    "Attachment",
    "AttachmentTool",
    "IncompleteMessage",
    "Message",
    "MessageDeleted",
    "MessageId",
    "MessageRequest",
    "MessageStatus",
    "MessageUpdate",
    "Messages",
    "Role",
]

MessageId: TypeAlias = str
"""`msg_` and 24 letters or digits."""

Role: TypeAlias = Literal["user", "assistant"]
MessageStatus: TypeAlias = Literal["in_progress", "incomplete", "completed"]


class AttachmentTool(Request, frozen=True, kw_only=True):
    """A tool that may read an attached file."""

    type: Literal["code_interpreter", "file_search"]


class Attachment(Request, frozen=True, kw_only=True):
    """A file that is attached to a message."""

    file_id: str | UnsetType = UNSET
    tools: list[AttachmentTool] | UnsetType = UNSET


class IncompleteMessage(Object, frozen=True, kw_only=True):
    """Why a message is incomplete."""

    reason: Literal["content_filter", "max_tokens", "run_cancelled", "run_expired", "run_failed"]


class Message(Object, frozen=True, kw_only=True):
    """A message, as the server returns it. `run_id` is set if a run wrote it."""

    id: MessageId
    object: Literal["thread.message"] = "thread.message"
    created_at: Timestamp
    thread_id: str
    status: MessageStatus = "completed"
    incomplete_details: IncompleteMessage | None = None
    completed_at: Timestamp | None = None
    incomplete_at: Timestamp | None = None
    role: Role
    content: Content
    assistant_id: AssistantId | None = None
    run_id: str | None = None
    attachments: list[Attachment] | None = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


class MessageRequest(Request, frozen=True, kw_only=True):
    """Adds a message to a thread."""

    role: Role
    content: InputContent
    attachments: Annotated[list[Attachment], Meta(max_length=500)] | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET
    on_busy: OnBusy | None | UnsetType = UNSET
    """The handling of a thread with an active run. Only for a message that is created by itself. An extension."""


Messages: TypeAlias = Annotated[list[MessageRequest], Meta(max_length=500)]
"""The messages of one request. All are written in one transaction, which must be short."""


class MessageUpdate(Request, frozen=True, kw_only=True):
    """Updates a message's metadata. Absent metadata stays; `None` clears it."""

    metadata: Metadata | None | UnsetType = UNSET


class MessageDeleted(Object, frozen=True, kw_only=True):
    """A message was deleted."""

    id: MessageId
    object: Literal["thread.message.deleted"] = "thread.message.deleted"
    deleted: bool = True
