"""Simulated users of the cluster. Each executes one run after the other, and checks every event and answer."""

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
from tests.chaos.history import History, RunRecord
from tests.support.reader import Reader

__all__ = ["User"]

T = TypeVar("T")

_QUEUED_RUNS = 3
"""Runs that are queued on one thread."""
_PATIENCE = 90.0
"""Seconds for which a call is retried: longer than all faults together last."""


class User:
    """Calls any of the servers at `urls`. A call without an answer is retried, perhaps elsewhere, with the same key."""

    def __init__(self, number: int, urls: list[str], assistant_id: str, history: History, random: Random) -> None:
        self._name = f"user-{number}"
        self._urls = urls
        self._assistant_id = assistant_id
        self._history = history
        self._random = random
        self._clients: list[AsyncClient] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Execute runs until `stopping` is set. The last one is followed to its end."""
        async with AsyncExitStack() as stack:
            for url in self._urls:
                self._clients.append(await stack.enter_async_context(runstead.connect_async(url, timeout=5)))
            number = 0
            while not stopping.is_set():
                number += 1
                await self._use_thread(f"{self._name}-{number}")

    async def _use_thread(self, key: str) -> None:
        """Execute one run on a new thread, or several that are queued on it."""
        kind = self._random.choice(["weather", "plain", "plain", "cancel", "queue"])
        message = MessageRequest(role="user", content="plain" if kind == "queue" else kind)
        thread = await self._retry(
            f"{key}-thread", lambda client: client.create_thread(ThreadRequest(messages=[message]))
        )
        if kind == "queue":
            request = RunRequest(assistant_id=self._assistant_id, on_busy="enqueue", additional_messages=[message])
            records = [
                await self._create_run(f"{key}-{place}", "plain", thread.id, request) for place in range(_QUEUED_RUNS)
            ]
        else:
            records = [await self._create_run(key, kind, thread.id, RunRequest(assistant_id=self._assistant_id))]
        for record in records:
            await self._follow_to_end(record)

    async def _create_run(self, key: str, kind: str, thread_id: str, request: RunRequest) -> RunRecord:
        record = self._history.begin(key, kind)
        record.acknowledge(await self._retry(f"{key}-run", lambda client: client.create_run(thread_id, request)))
        return record

    async def _follow_to_end(self, record: RunRecord) -> None:
        assert record.run is not None
        run, reader = record.run, Reader()
        record.start_following()
        cancelling = self._random.randrange(3, 20) if record.kind == "cancel" else None
        while not run.status.terminal:
            run = await self._follow(record, run, reader, cancelling)
            if run.status is Status.REQUIRES_ACTION:
                run = await self._submit_outputs(record, run)
        record.finish(run, reader)

    async def _follow(self, record: RunRecord, run: Run, reader: Reader, cancelling: int | None) -> Run:
        """Read events until the run pauses. Connections are closed at random, and may break."""
        deadline = monotonic() + _PATIENCE
        while True:
            client = self._random.choice(self._clients)
            events_left = self._random.randrange(1, 60)
            try:
                after = str(reader.at) if reader.at > Position(0) else None
                async with client.run_events(run.thread_id, run.id, after=after) as events:
                    async for event in events:
                        record.receive(event)
                        reader.take(event)
                        events_left -= 1
                        if cancelling is not None and len(reader.names) == cancelling:
                            await self._cancel(run)
                        if events_left == 0:
                            self._history.switched += 1
                            break
                    else:
                        return await self._retry(None, lambda other: other.get_run(run.thread_id, run.id))
            except (RunsteadError, OSError) as error:
                record.connection_failed(error, deadline)

    async def _submit_outputs(self, record: RunRecord, run: Run) -> Run:
        assert run.required_action is not None
        calls = run.required_action.submit_tool_outputs.tool_calls
        outputs = [ToolOutput(tool_call_id=call.id, output="sunny") for call in calls]
        return await self._retry(
            f"{record.key}-outputs", lambda client: client.submit_tool_output(run.thread_id, run.id, outputs)
        )

    async def _cancel(self, run: Run) -> None:
        try:
            await self._retry(f"{run.id}-cancel", lambda client: client.cancel(run.thread_id, run.id))
        except ApiError as error:
            if error.status != 400:  # it had ended already
                raise

    async def _retry(self, key: str | None, call: Callable[[AsyncClient], Awaitable[T]]) -> T:
        """The answer to a call, which is retried until there is one. A call with a key is carried out once."""
        deadline = monotonic() + _PATIENCE
        while True:
            client = self._random.choice(self._clients)
            try:
                return await call(client.once(key) if key else client)
            except (RunsteadError, OSError) as error:
                if isinstance(error, ApiError) and error.status < 500 and error.status != 429:
                    raise
                if isinstance(error, Closed) or monotonic() > deadline:
                    raise
                await asyncio.sleep(self._random.uniform(0.05, 0.3))
