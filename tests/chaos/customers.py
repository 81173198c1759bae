"""The load: customers that create one run after the other, follow it to its end, and check every event."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from random import Random
from time import monotonic
from typing import TypeVar

import runstead
from runstead import Closed, RunsteadError
from runstead.client import AsyncClient
from runstead.wire.error import ApiError
from runstead.wire.event import Position
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest, Status
from runstead.wire.thread import ThreadRequest
from runstead.wire.tool import ToolOutput
from tests.chaos.ledger import Ledger, Story
from tests.support.reader import Reader

__all__ = ["Customer"]

T = TypeVar("T")

_LINE = 3
"""Runs that are queued on one thread."""
_PATIENCE = 90.0
"""Seconds for which a call is retried: longer than any outage."""


class Customer:
    """Calls any of the servers at `urls`. An unanswered call is retried on another, with the same idempotency key."""

    def __init__(self, number: int, urls: list[str], assistant_id: str, ledger: Ledger, chance: Random) -> None:
        self._name = f"customer-{number}"
        self._urls = urls
        self._assistant_id = assistant_id
        self._ledger = ledger
        self._chance = chance
        self._clients: list[AsyncClient] = []

    async def live(self, closing: asyncio.Event) -> None:
        """Create one run after the other until `closing`. The last run is followed to its end."""
        async with AsyncExitStack() as stack:
            for url in self._urls:
                self._clients.append(await stack.enter_async_context(runstead.connect_async(url, timeout=5)))
            number = 0
            while not closing.is_set():
                number += 1
                await self._one_thread(f"{self._name}-{number}")

    async def _one_thread(self, key: str) -> None:
        """Create one run on a new thread, or several that queue behind each other."""
        kind = self._chance.choice(["weather", "plain", "plain", "cancel", "line"])
        said = MessageRequest(role="user", content="plain" if kind == "line" else kind)
        thread = await self._insist(
            f"{key}-thread", lambda client: client.create_thread(ThreadRequest(messages=[said]))
        )
        if kind == "line":
            request = RunRequest(assistant_id=self._assistant_id, on_busy="enqueue", additional_messages=[said])
            line = [await self._begun(f"{key}-{place}", "plain", thread.id, request) for place in range(_LINE)]
        else:
            line = [await self._begun(key, kind, thread.id, RunRequest(assistant_id=self._assistant_id))]
        for story in line:
            await self._seen_to_its_end(story)

    async def _begun(self, key: str, kind: str, thread_id: str, request: RunRequest) -> Story:
        story = self._ledger.begin(key, kind)
        story.acknowledged(await self._insist(f"{key}-run", lambda client: client.create_run(thread_id, request)))
        return story

    async def _seen_to_its_end(self, story: Story) -> None:
        assert story.run is not None
        run, reader = story.run, Reader()
        story.followed()
        cancelling = self._chance.randrange(3, 20) if story.kind == "cancel" else None
        while not run.status.terminal:
            run = await self._followed(story, run, reader, cancelling)
            if run.status is Status.REQUIRES_ACTION:
                run = await self._submitted(story, run)
        story.ended(run, reader)

    async def _followed(self, story: Story, run: Run, reader: Reader, cancelling: int | None) -> Run:
        """Read events until the run pauses. The connection changes now and then, on purpose or after an error."""
        until = monotonic() + _PATIENCE
        while True:
            client = self._chance.choice(self._clients)
            leave_after = self._chance.randrange(1, 60)
            try:
                after = str(reader.at) if reader.at > Position(0) else None
                async with client.run_events(run.thread_id, run.id, after=after) as events:
                    async for event in events:
                        story.heard(event)
                        reader.take(event)
                        leave_after -= 1
                        if cancelling is not None and len(reader.names) == cancelling:
                            await self._cancelled(run)
                        if leave_after == 0:
                            self._ledger.left += 1
                            break
                    else:
                        return await self._insist(None, lambda other: other.get_run(run.thread_id, run.id))
            except (RunsteadError, OSError) as error:
                story.troubled(error, until)

    async def _submitted(self, story: Story, run: Run) -> Run:
        assert run.required_action is not None
        calls = run.required_action.submit_tool_outputs.tool_calls
        outputs = [ToolOutput(tool_call_id=call.id, output="sunny") for call in calls]
        return await self._insist(
            f"{story.key}-outputs", lambda client: client.submit_tool_output(run.thread_id, run.id, outputs)
        )

    async def _cancelled(self, run: Run) -> None:
        try:
            await self._insist(f"{run.id}-cancel", lambda client: client.cancel(run.thread_id, run.id))
        except ApiError as error:
            if error.status != 400:  # the run had ended already
                raise

    async def _insist(self, key: str | None, call: Callable[[AsyncClient], Awaitable[T]]) -> T:
        """Retry a call on random servers until one answers. With a key it takes effect once."""
        until = monotonic() + _PATIENCE
        while True:
            client = self._chance.choice(self._clients)
            try:
                return await call(client.once(key) if key else client)
            except (RunsteadError, OSError) as error:
                if isinstance(error, ApiError) and error.status < 500 and error.status != 429:
                    raise
                if isinstance(error, Closed) or monotonic() > until:
                    raise
                await asyncio.sleep(self._chance.uniform(0.05, 0.3))
