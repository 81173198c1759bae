"""A run: the execution of an assistant on a thread."""

from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from runstead.wire.assistant import AssistantId
from runstead.wire.message import Messages
from runstead.wire.options import (
    MAX_AMOUNT,
    Instructions,
    ModelName,
    OnBusy,
    ReasoningEffort,
    ResponseFormat,
    Temperature,
    TokenBudget,
    TopP,
    TruncationStrategy,
)
from runstead.wire.struct import Metadata, Object, Request, Timestamp
from runstead.wire.thread import ThreadId, ThreadRequest
from runstead.wire.tool import RequiredFunctionCall, Tool, ToolChoice, ToolOutput, ToolResources, Tools

__all__ = [
    "BudgetName",
    "CompletionTokensDetails",
    "IncompleteRun",
    "LastError",
    "PromptTokensDetails",
    "RequiredAction",
    "RequiredToolOutputs",
    "Run",
    "RunId",
    "RunOptions",
    "RunRequest",
    "RunUpdate",
    "Status",
    "ThreadRunRequest",
    "ToolOutputs",
    "Usage",
]

Lifetime: TypeAlias = Annotated[int, Meta(ge=1, le=30 * 24 * 3600)]
"""Seconds, up to thirty days."""
Amount: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_AMOUNT)]
"""Tokens, calls or seconds. A budget of zero would be useless, so it is an error."""

RunId: TypeAlias = str
"""`run_` and 24 letters or digits."""


class Status(StrEnum):
    """The status of a run. `docs/lifecycle.md` has the transitions."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    REQUIRES_ACTION = "requires_action"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FAILED = "failed"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    EXPIRED = "expired"

    @property
    def terminal(self) -> bool:
        """Whether the run has ended: its status never changes again."""
        return self in _TERMINAL

    @property
    def pausing(self) -> bool:
        """Whether the run has ended, or waits for the client."""
        return self in _TERMINAL or self is Status.REQUIRES_ACTION


_TERMINAL = frozenset({Status.CANCELLED, Status.FAILED, Status.COMPLETED, Status.INCOMPLETE, Status.EXPIRED})


class RequiredToolOutputs(Object, frozen=True, kw_only=True):
    """The calls whose outputs the client must submit."""

    tool_calls: list[RequiredFunctionCall]


class RequiredAction(Object, frozen=True, kw_only=True):
    """The action of the client that the run waits for."""

    type: Literal["submit_tool_outputs"] = "submit_tool_outputs"
    submit_tool_outputs: RequiredToolOutputs


class LastError(Object, frozen=True, kw_only=True):
    """Why a run or a step failed."""

    code: Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
    message: str


BudgetName: TypeAlias = Literal[
    "max_completion_tokens", "max_prompt_tokens", "max_total_tokens", "max_tool_calls", "max_seconds"
]
"""The name of a budget. Only the first two are part of the original API."""


class IncompleteRun(Object, frozen=True, kw_only=True):
    """Why a run is incomplete: the budget that was used up."""

    reason: BudgetName


class PromptTokensDetails(Object, frozen=True, kw_only=True):
    """How many prompt tokens came from a cache."""

    cached_tokens: int = 0


class CompletionTokensDetails(Object, frozen=True, kw_only=True):
    """How many completion tokens were spent on reasoning."""

    reasoning_tokens: int = 0


class Usage(Object, frozen=True, kw_only=True):
    """The tokens that a model call, or all model calls of a run, used."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    # The wire spells the first one in the singular.
    prompt_token_details: PromptTokensDetails = PromptTokensDetails()
    completion_tokens_details: CompletionTokensDetails = CompletionTokensDetails()


class Run(Object, frozen=True, kw_only=True):
    """A run, as the server returns it. Model, instructions and tools are those of the time of its creation."""

    id: RunId
    object: Literal["thread.run"] = "thread.run"
    created_at: Timestamp
    thread_id: ThreadId
    assistant_id: AssistantId
    status: Status
    required_action: RequiredAction | None = None
    last_error: LastError | None = None
    expires_at: Timestamp | None = None
    started_at: Timestamp | None = None
    cancelled_at: Timestamp | None = None
    failed_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    incomplete_details: IncompleteRun | None = None
    model: str
    instructions: str | None = None
    tools: list[Tool] = field(default_factory=list)
    tool_resources: ToolResources | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    usage: Usage | None = None
    temperature: float | None = 1.0
    top_p: float | None = 1.0
    reasoning_effort: ReasoningEffort | None = None
    max_prompt_tokens: int | None = None
    max_completion_tokens: int | None = None
    truncation_strategy: TruncationStrategy | None = TruncationStrategy()
    tool_choice: ToolChoice | None = "auto"
    parallel_tool_calls: bool = True
    response_format: ResponseFormat | None = "auto"
    # Budgets that are not part of the original API; absent unless they were set.
    max_total_tokens: int | UnsetType = UNSET
    max_tool_calls: int | UnsetType = UNSET
    max_seconds: int | UnsetType = UNSET


class RunOptions(Request, frozen=True, kw_only=True):
    """The options of a new run, on a thread that exists or on a new one. Absent options are the assistant's."""

    assistant_id: AssistantId
    model: ModelName | None | UnsetType = UNSET
    instructions: Instructions | None | UnsetType = UNSET
    """Replaces the assistant's instructions."""
    tools: Tools | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET
    temperature: Temperature | None | UnsetType = UNSET
    top_p: TopP | None | UnsetType = UNSET
    reasoning_effort: ReasoningEffort | None | UnsetType = UNSET
    stream: bool | None | UnsetType = UNSET
    max_prompt_tokens: TokenBudget | None | UnsetType = UNSET
    max_completion_tokens: TokenBudget | None | UnsetType = UNSET
    truncation_strategy: TruncationStrategy | None | UnsetType = UNSET
    tool_choice: ToolChoice | None | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    response_format: ResponseFormat | None | UnsetType = UNSET
    tool_resources: ToolResources | None | UnsetType = UNSET
    """For each tool that it names, instead of the assistant's."""
    expires_after: Lifetime | None | UnsetType = UNSET
    """Seconds after which it expires; without, the server's default. An extension, as those below."""
    max_total_tokens: Amount | None | UnsetType = UNSET
    """Tokens, read and written, of all model calls."""
    max_tool_calls: Amount | None | UnsetType = UNSET
    """Calls of all model turns; a turn that would exceed them is asked for none of its calls."""
    max_seconds: Amount | None | UnsetType = UNSET
    """Seconds since its creation, waiting included. Every budget that is used up ends the run as `incomplete`."""


class RunRequest(RunOptions, frozen=True, kw_only=True):
    """Starts a run on a thread. What is absent is the assistant's."""

    additional_instructions: Instructions | None | UnsetType = UNSET
    """Appended to the instructions."""
    additional_messages: Messages | None | UnsetType = UNSET
    """Added to the thread first."""
    on_busy: OnBusy | None | UnsetType = UNSET
    """The handling of a thread with an active run. Absent, the thread's default counts, then the server's."""


class ThreadRunRequest(RunOptions, frozen=True, kw_only=True):
    """Makes a thread and starts a run on it. Without `thread`, the thread is empty."""

    thread: ThreadRequest | UnsetType = UNSET


class RunUpdate(Request, frozen=True, kw_only=True):
    """Updates a run's metadata. Absent metadata stays; `None` clears it."""

    metadata: Metadata | None | UnsetType = UNSET


class ToolOutputs(Request, frozen=True, kw_only=True):
    """The outputs of all calls that a run waits for."""

    output: Annotated[list[ToolOutput], Meta(max_length=2000)] = field(name="tool_outputs")
    stream: bool | None | UnsetType = UNSET
