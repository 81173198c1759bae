"""How the open message and step of a run are closed when the run is stopped, fails or is recovered."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec.structs import replace

from runstead.wire.content import Content, Text, TextPart
from runstead.wire.message import IncompleteMessage, Message
from runstead.wire.run import LastError, Status
from runstead.wire.run_step import RunStep, StepStatus

__all__ = ["CLOSINGS", "CutReason", "close_step", "cut_message"]

CutReason: TypeAlias = Literal["max_tokens", "content_filter", "run_cancelled", "run_expired", "run_failed"]

CLOSINGS: Mapping[Status, tuple[CutReason, StepStatus]] = {
    Status.CANCELLED: ("run_cancelled", "cancelled"),
    Status.EXPIRED: ("run_expired", "expired"),
    Status.INCOMPLETE: ("run_expired", "expired"),
    Status.FAILED: ("run_failed", "failed"),
    Status.QUEUED: ("run_failed", "failed"),
}
"""How an open message and an open step are closed when their run goes to this status."""

_INTERRUPTED = LastError(
    code="server_error", message="The worker stopped before this step was finished; the step is done again."
)


def cut_message(message: Message, reason: CutReason, now: int) -> Message:
    """The message, incomplete for this reason."""
    # Clients that followed the stream look the streamed part up in here: it may be empty, not missing.
    content: Content = message.content or [TextPart(text=Text(value=""))]
    return replace(
        message,
        status="incomplete",
        incomplete_details=IncompleteMessage(reason=reason),
        incomplete_at=now,
        content=content,
    )


def close_step(step: RunStep, status: StepStatus, now: int, error: LastError | None = None) -> RunStep:
    """The step with its last status; a failed step says why, by default that its worker stopped."""
    match status:
        case "completed":
            return replace(step, status=status, completed_at=now, expires_at=None)
        case "cancelled":
            return replace(step, status=status, cancelled_at=now, expires_at=None)
        case "expired":
            return replace(step, status=status, expired_at=now)
        case _:
            known = error if error is not None else _INTERRUPTED
            if known.code == "invalid_prompt":  # a code that only runs have
                known = replace(known, code="server_error")
            return replace(step, status="failed", failed_at=now, expires_at=None, last_error=known)
