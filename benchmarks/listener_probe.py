"""One process that streams many runs at once with Runstead's client: `python -m benchmarks.listener_probe URL`.

It reads the runs from the first line of its input, as `[[thread, run], …]`. Once every run is active it prints the
memory per run, and when all have ended it prints the time and the number of events. It makes one call before that, so
that all modules are loaded.
"""

import asyncio
import json
import sys
from time import perf_counter

from benchmarks.fake_model import HELD_TOKENS, text
from benchmarks.processes import resident
from runstead import EventName, Message, connect_async
from runstead.client import AsyncClient
from tests.support.worlds import text_of

ITSELF = "self"


async def main() -> None:
    async with connect_async(sys.argv[1]) as client:
        await client.models()
        runs = json.loads(sys.stdin.readline())
        before = resident(ITSELF)
        active = [asyncio.Event() for _ in runs]
        async with asyncio.TaskGroup() as group:
            following = [
                group.create_task(follow(client, thread, run, event))
                for (thread, run), event in zip(runs, active, strict=True)
            ]
            for event in active:
                await event.wait()
            print(json.dumps({"bytes": (resident(ITSELF) - before) / len(runs)}), flush=True)
        events = [task.result() for task in following]
        print(json.dumps({"ended": perf_counter(), "events": sum(events)}), flush=True)


async def follow(client: AsyncClient, thread: str, run: str, active: asyncio.Event) -> int:
    """Read all events of a run, check its text, and return the number of events."""
    count, answer = 0, ""
    async with client.run_events(thread, run) as stream:
        async for event in stream:
            count += 1
            if event.event == EventName.RUN_IN_PROGRESS:
                active.set()
            if event.event == EventName.MESSAGE_COMPLETED and isinstance(event.data, Message):
                answer = text_of(event.data)
    if event.event != EventName.RUN_COMPLETED or answer != text(HELD_TOKENS):
        raise SystemExit(f"a run ended with {event.event} and the text {answer!r}")
    return count


if __name__ == "__main__":
    asyncio.run(main())
