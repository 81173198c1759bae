"""The events of a run, over as many connections as it takes."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from runstead.client._async.transport import AsyncTransport
from runstead.client.deadline import Deadline
from runstead.client.retries import backoff
from runstead.client.standing import Standing, StreamCall
from runstead.wire.error import RateLimited, ServerError, Unreachable, WaitTimeout
from runstead.wire.event import Event

__all__ = ["follow"]

MOST_FAILURES = 8
"""Connections that may fail one after the other without an event between them: about half a minute."""


async def follow(
    transport: AsyncTransport,
    call: StreamCall,
    standing: Standing,
    sleep: Callable[[float], Awaitable[None]],
    deadline: Deadline | None = None,
) -> AsyncGenerator[Event]:
    """Make a call and give its events, each once and none left out, also when the connection breaks.

    The call itself is made once; after that the run is rejoined behind the last event, where the server knows how.
    """
    failures = 0
    while True:
        try:
            async with aclosing(transport.stream(*call, deadline=deadline)) as events:
                async for event in events:
                    if standing.takes(event):
                        failures = 0
                        yield event
            return
        except Unreachable as error:
            trouble: Exception = error
        except (ServerError, RateLimited) as error:
            if not failures:
                raise
            trouble = error
        failures += 1
        again = standing.rejoin()
        if again is None:
            raise _stranded(standing, trouble) from trouble
        if failures > MOST_FAILURES:
            raise trouble
        pause = backoff(failures)
        if deadline is not None and deadline.remaining <= pause:
            raise WaitTimeout(f"Not done within {deadline.seconds:g} s.") from trouble
        await sleep(pause)
        call = again


def _stranded(standing: Standing, trouble: Exception) -> Unreachable:
    if standing.run_id is None:
        return Unreachable(f"{trouble} A run may have been created: look at the thread's runs before trying again.")
    return Unreachable(
        f"{trouble} The stream cannot be rejoined where it broke; run {standing.run_id} goes on without us: "
        "`wait` for it, or follow its `run_events`, which not every server has."
    )
