"""One program that follows many runs at once with our client: `python -m benchmarks.listener_probe URL`.

It reads the runs from its first line, as `[[thread, run], …]`; says `following` once it has heard of each, and what one
costs it; and says how it went when all have ended. Without runs it does one call, so that everything is loaded.
"""

import asyncio
import json
import sys
from time import perf_counter

from benchmarks.fake_model import HELD, text
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
        heard = [asyncio.Event() for _ in runs]
        async with asyncio.TaskGroup() as group:
            following = [
                group.create_task(follow(client, thread, run, event))
                for (thread, run), event in zip(runs, heard, strict=True)
            ]
            for event in heard:
                await event.wait()
            print(json.dumps({"bytes": (resident(ITSELF) - before) / len(runs)}), flush=True)
        events = [task.result() for task in following]
        print(json.dumps({"ended": perf_counter(), "events": sum(events)}), flush=True)


async def follow(client: AsyncClient, thread: str, run: str, heard: asyncio.Event) -> int:
    """Every event of a run, which must say all that it has to; how many there were."""
    count, said = 0, ""
    async with client.run_events(thread, run) as stream:
        async for event in stream:
            count += 1
            if event.event == EventName.RUN_IN_PROGRESS:
                heard.set()
            if event.event == EventName.MESSAGE_COMPLETED and isinstance(event.data, Message):
                said = text_of(event.data)
    if event.event != EventName.RUN_COMPLETED or said != text(HELD):
        raise SystemExit(f"a run that was followed ended with {event.event}, and said {said!r}")
    return count


if __name__ == "__main__":
    asyncio.run(main())
