"""Assistants, threads and runs, durable and on your own machine.

`open` and `open_async` run the engine inside this program, over one file. `connect` and `connect_async` use a server.
All four return a client with the same methods: `create_run`, `get_run`, `submit_tool_output`, `run_steps` and the rest
of `runstead.interface`. Each imports only what it needs, so a client of a server is small.
"""

from runstead.client import connect, connect_async
from runstead.embedded import open, open_async
from runstead.wire.assistant import Assistant, AssistantDeleted, AssistantId, AssistantRequest, AssistantUpdate
from runstead.wire.chunking import AutoChunking, StaticChunkingRequest, StaticSizes
from runstead.wire.content import ImageFile, ImageFilePart, ImageUrl, ImageUrlPart, TextInput, TextPart
from runstead.wire.embedding import EmbeddingRequest
from runstead.wire.error import (
    ApiError,
    BadRequest,
    Closed,
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    RunsteadError,
    ServerError,
    TooLarge,
    Unauthorized,
    Unreachable,
    WaitTimeout,
)
from runstead.wire.event import Event, EventName
from runstead.wire.file import File, FileDeleted, FileExpiry, FileId, FileRequest
from runstead.wire.message import Message, MessageDeleted, MessageId, MessageRequest
from runstead.wire.model import Model
from runstead.wire.options import JsonSchema, JsonSchemaFormat, ObjectFormat, TextFormat, TruncationStrategy
from runstead.wire.run import LastError, RequiredAction, Run, RunId, RunRequest, Status, ThreadRunRequest, Usage
from runstead.wire.run_step import RunStep, RunStepId
from runstead.wire.search import SearchRanking, SearchRequest, SearchResult, SearchResultsPage
from runstead.wire.struct import UNSET, SortOrder, UnsetType
from runstead.wire.thread import Thread, ThreadDeleted, ThreadId, ThreadRequest, ThreadUpdate
from runstead.wire.tool import CodeInterpreterTool, FileSearchTool, Function, FunctionTool, NamedToolChoice, ToolOutput
from runstead.wire.vector_store import (
    FileBatch,
    FileBatchRequest,
    StoreExpiry,
    StoreFile,
    StoreFileRequest,
    VectorStore,
    VectorStoreRequest,
    VectorStoreUpdate,
)
from runstead.wire.webhook import (
    Webhook,
    WebhookDeleted,
    WebhookDelivery,
    WebhookEvent,
    WebhookRequest,
    WebhookTestResult,
    WebhookUpdate,
    WebhookWithSecret,
)

__all__ = [
    "UNSET",
    "ApiError",
    "Assistant",
    "AssistantDeleted",
    "AssistantId",
    "AssistantRequest",
    "AssistantUpdate",
    "AutoChunking",
    "BadRequest",
    "Closed",
    "CodeInterpreterTool",
    "Conflict",
    "EmbeddingRequest",
    "Event",
    "EventName",
    "File",
    "FileBatch",
    "FileBatchRequest",
    "FileDeleted",
    "FileExpiry",
    "FileId",
    "FileRequest",
    "FileSearchTool",
    "Forbidden",
    "Function",
    "FunctionTool",
    "ImageFile",
    "ImageFilePart",
    "ImageUrl",
    "ImageUrlPart",
    "JsonSchema",
    "JsonSchemaFormat",
    "LastError",
    "Message",
    "MessageDeleted",
    "MessageId",
    "MessageRequest",
    "Model",
    "NamedToolChoice",
    "NotFound",
    "ObjectFormat",
    "RateLimited",
    "RequiredAction",
    "Run",
    "RunId",
    "RunRequest",
    "RunStep",
    "RunStepId",
    "RunsteadError",
    "SearchRanking",
    "SearchRequest",
    "SearchResult",
    "SearchResultsPage",
    "ServerError",
    "SortOrder",
    "StaticChunkingRequest",
    "StaticSizes",
    "Status",
    "StoreExpiry",
    "StoreFile",
    "StoreFileRequest",
    "TextFormat",
    "TextInput",
    "TextPart",
    "Thread",
    "ThreadDeleted",
    "ThreadId",
    "ThreadRequest",
    "ThreadRunRequest",
    "ThreadUpdate",
    "TooLarge",
    "ToolOutput",
    "TruncationStrategy",
    "Unauthorized",
    "Unreachable",
    "UnsetType",
    "Usage",
    "VectorStore",
    "VectorStoreRequest",
    "VectorStoreUpdate",
    "WaitTimeout",
    "Webhook",
    "WebhookDeleted",
    "WebhookDelivery",
    "WebhookEvent",
    "WebhookRequest",
    "WebhookTestResult",
    "WebhookUpdate",
    "WebhookWithSecret",
    "connect",
    "connect_async",
    "open",
    "open_async",
]
