"""The life of a run: which signal leads from which status to which, and what a run's fields are in each.

`TRANSITIONS` is the whole truth: a pair that is not in it is refused, and nothing changes. The drawing in
`docs/lifecycle.md` is made from it.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec.structs import replace

from runstead.wire.run import IncompleteRun, LastError, RequiredAction, Run, Status, Usage

__all__ = ["TRANSITIONS", "Refused", "Signal", "as_mermaid", "move", "target"]


class Signal(StrEnum):
    """An event in the life of a run."""

    CLAIM = "claim"
    """A worker claims the run."""
    ASK_CLIENT = "ask_client"
    """The model called functions that the client runs."""
    SUBMIT_OUTPUTS = "submit_outputs"
    """The client gave all outputs."""
    COMPLETE = "complete"
    """The final message is written."""
    RUN_OUT = "run_out"
    """A budget is used up."""
    FAIL = "fail"
    """The run cannot go on."""
    CANCEL = "cancel"
    """A client cancelled the run."""
    STOP = "stop"
    """The cancelled run has stopped."""
    EXPIRE = "expire"
    """The run is past its deadline."""
    DELAY = "delay"
    """The model's server refused the run with a rate limit: it goes on later."""
    RECOVER = "recover"
    """The run's worker is gone, or releases it."""


TRANSITIONS: Mapping[Status, Mapping[Signal, Status]] = {
    Status.QUEUED: {
        Signal.CLAIM: Status.IN_PROGRESS,
        Signal.RUN_OUT: Status.INCOMPLETE,
        Signal.CANCEL: Status.CANCELLING,
        Signal.EXPIRE: Status.EXPIRED,
        Signal.FAIL: Status.FAILED,
    },
    Status.IN_PROGRESS: {
        Signal.ASK_CLIENT: Status.REQUIRES_ACTION,
        Signal.COMPLETE: Status.COMPLETED,
        Signal.RUN_OUT: Status.INCOMPLETE,
        Signal.FAIL: Status.FAILED,
        Signal.CANCEL: Status.CANCELLING,
        Signal.EXPIRE: Status.EXPIRED,
        Signal.DELAY: Status.QUEUED,
        Signal.RECOVER: Status.QUEUED,
    },
    Status.REQUIRES_ACTION: {
        Signal.SUBMIT_OUTPUTS: Status.QUEUED,
        Signal.RUN_OUT: Status.INCOMPLETE,
        Signal.CANCEL: Status.CANCELLING,
        Signal.EXPIRE: Status.EXPIRED,
    },
    Status.CANCELLING: {
        Signal.STOP: Status.CANCELLED,
        Signal.COMPLETE: Status.COMPLETED,
        Signal.EXPIRE: Status.EXPIRED,
        Signal.RECOVER: Status.CANCELLED,
    },
    Status.CANCELLED: {},
    Status.FAILED: {},
    Status.COMPLETED: {},
    Status.INCOMPLETE: {},
    Status.EXPIRED: {},
}


class Refused(Exception):
    """The signal means nothing in this status. Nothing was changed."""

    def __init__(self, status: Status, signal: Signal) -> None:
        super().__init__(f"a run that is {status} cannot {signal}")
        self.status = status
        self.signal = signal


def target(status: Status, signal: Signal) -> Status:
    """The status that a signal leads to, or `Refused`."""
    try:
        return TRANSITIONS[status][signal]
    except KeyError:
        raise Refused(status, signal) from None


def move(
    run: Run,
    signal: Signal,
    now: int,
    *,
    required_action: RequiredAction | None = None,
    last_error: LastError | None = None,
    incomplete: IncompleteRun | None = None,
    usage: Usage | None = None,
) -> Run:
    """The run after a signal at `now` (unix seconds), its fields as the status asks; or `Refused`.

    `usage` is the sum of the run's steps; only a run that has ended shows it. A delayed run's `last_error` is the cause
    of the delay, until the run is claimed or cancelled.
    """
    status = target(run.status, signal)
    match status:
        case Status.QUEUED | Status.CANCELLING:
            return replace(run, status=status, required_action=None, last_error=last_error)
        case Status.IN_PROGRESS:
            return replace(run, status=status, started_at=now, last_error=None)
        case Status.REQUIRES_ACTION:
            return replace(run, status=status, required_action=required_action)
        case Status.COMPLETED:
            return replace(run, status=status, completed_at=now, expires_at=None, usage=usage)
        case Status.INCOMPLETE:
            # The hosted service set completed_at here too.
            return replace(
                run,
                status=status,
                required_action=None,
                completed_at=now,
                expires_at=None,
                incomplete_details=incomplete,
                usage=usage,
            )
        case Status.CANCELLED:
            return replace(run, status=status, cancelled_at=now, expires_at=None, usage=usage)
        case Status.FAILED:
            return replace(run, status=status, failed_at=now, expires_at=None, last_error=last_error, usage=usage)
        case Status.EXPIRED:
            return replace(run, status=status, required_action=None, usage=usage)


def as_mermaid() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> queued: create"]
    for status, moves in TRANSITIONS.items():
        lines += [f"    {status} --> {after}: {signal}" for signal, after in moves.items()]
        if not moves:
            lines.append(f"    {status} --> [*]")
    return "\n".join(lines) + "\n"
