# Generated from src/runstead/client/_async/reconnect.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""A run's events over as many connections as it takes: reconnect, and resume after the last event."""

from collections.abc import Callable, Generator
from contextlib import closing

from runstead.client._sync.transport import Transport
from runstead.client.deadline import Deadline
from runstead.client.http.retries import backoff
from runstead.client.streams.stream_position import StreamCall, StreamPosition
from runstead.wire.error import RateLimited, ServerError, Unreachable, WaitTimeout
from runstead.wire.event import Event

__all__ = ["follow"]

MAX_FAILURES = 8
"""Consecutive connections that may fail without an event between them: about half a minute."""


def follow(
    transport: Transport,
    call: StreamCall,
    position: StreamPosition,
    sleep: Callable[[float], None],
    deadline: Deadline | None = None,
) -> Generator[Event]:
    """Make a call and yield its events, each exactly once, also when the connection breaks.

    The call itself is made once. After a disconnect the run's events are read from `position` on. `Unreachable` if the
    server does not have that call, or if `MAX_FAILURES` connections in a row bring no event.
    """
    failures = 0
    while True:
        try:
            with closing(transport.stream(*call, deadline=deadline)) as events:
                for event in events:
                    if position.advance(event):
                        failures = 0
                        yield event
            return
        except Unreachable as error:
            failure: Exception = error
        except (ServerError, RateLimited) as error:
            if not failures:
                raise
            failure = error
        failures += 1
        resumed = position.resume()
        if resumed is None:
            raise _not_resumable(position, failure) from failure
        if failures > MAX_FAILURES:
            raise failure
        pause = backoff(failures)
        if deadline is not None and deadline.remaining <= pause:
            raise WaitTimeout(f"Not done within {deadline.seconds:g} s.") from failure
        sleep(pause)
        call = resumed


def _not_resumable(position: StreamPosition, failure: Exception) -> Unreachable:
    if position.run_id is None:
        return Unreachable(f"{failure} A run may have been created: look at the thread's runs before trying again.")
    return Unreachable(
        f"{failure} The stream cannot be resumed. Run {position.run_id} goes on: "
        "`wait` for it, or read its `run_events` where the server has them."
    )
