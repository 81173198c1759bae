"""A thread: a conversation that runs read and write."""

from typing import Literal, TypeAlias

from msgspec import UNSET, UnsetType, field

from runstead.wire.message import Messages
from runstead.wire.options import OnBusy
from runstead.wire.struct import Metadata, Object, Request, Timestamp
from runstead.wire.tool import ToolResources

__all__ = ["Thread", "ThreadDeleted", "ThreadId", "ThreadRequest", "ThreadUpdate"]

ThreadId: TypeAlias = str
"""`thread_` and 24 letters or digits."""


class Thread(Object, frozen=True, kw_only=True):
    """A thread, as the server returns it. Its messages are not part of it."""

    id: ThreadId
    object: Literal["thread"] = "thread"
    created_at: Timestamp
    tool_resources: ToolResources | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    on_busy: OnBusy | UnsetType = UNSET
    """Not part of the original API; absent unless it was set."""


class ThreadRequest(Request, frozen=True, kw_only=True):
    """Creates a thread with its first messages, if any."""

    messages: Messages | UnsetType = UNSET
    tool_resources: ToolResources | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET
    on_busy: OnBusy | None | UnsetType = UNSET
    """The default of `on_busy` for new runs and messages, while a run is active. An extension."""


class ThreadUpdate(Request, frozen=True, kw_only=True):
    """Updates a thread. Absent fields keep their value; `None` clears a field."""

    tool_resources: ToolResources | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET
    on_busy: OnBusy | None | UnsetType = UNSET
    """The default of `on_busy` for new runs and messages, while a run is active. An extension."""


class ThreadDeleted(Object, frozen=True, kw_only=True):
    """A thread was deleted, with its messages and runs."""

    id: ThreadId
    object: Literal["thread.deleted"] = "thread.deleted"
    deleted: bool = True
