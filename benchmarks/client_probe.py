"""The processor time of a client, measured in a process of its own. Prints one JSON object.

`python -m benchmarks.client_probe official|runstead URL SECONDS`
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from time import process_time
from typing import Any, Protocol

from benchmarks.fake_assistants import EVENTS, RUN

RUN_ID, THREAD, ASSISTANT = str(RUN["id"]), str(RUN["thread_id"]), str(RUN["assistant_id"])
CONCURRENCY = 32
WARM_UP = 0.1


class Client(Protocol):
    """The calls that are measured: read a run; follow a run as it streams."""

    def get_run(self) -> Any: ...

    def stream(self, thread: str) -> Iterable[Any]: ...

    async def get_run_async(self) -> Any: ...

    async def stream_async(self, thread: str) -> AsyncIterable[Any]: ...


class Official:
    """The official client, unmodified."""

    def __init__(self, url: str) -> None:
        import openai

        self.sync = openai.OpenAI(base_url=url, api_key="none").beta.threads.runs
        self.awaited = openai.AsyncOpenAI(base_url=url, api_key="none").beta.threads.runs

    def get_run(self) -> Any:
        return self.sync.retrieve(RUN_ID, thread_id=THREAD)

    def stream(self, thread: str) -> Iterable[Any]:
        return self.sync.create(thread, assistant_id=ASSISTANT, stream=True)

    async def get_run_async(self) -> Any:
        return await self.awaited.retrieve(RUN_ID, thread_id=THREAD)

    async def stream_async(self, thread: str) -> AsyncIterable[Any]:
        return await self.awaited.create(thread, assistant_id=ASSISTANT, stream=True)


class Runstead:
    """Runstead's client."""

    def __init__(self, url: str) -> None:
        import runstead

        self.sync = runstead.connect(url, api_key="none")
        self.awaited = runstead.connect_async(url, api_key="none")
        self.request = runstead.RunRequest(assistant_id=ASSISTANT)

    def get_run(self) -> Any:
        return self.sync.get_run(THREAD, RUN_ID)

    def stream(self, thread: str) -> Iterable[Any]:
        return self.sync.create_streaming_run(thread, self.request)

    async def get_run_async(self) -> Any:
        return await self.awaited.get_run(THREAD, RUN_ID)

    async def stream_async(self, thread: str) -> AsyncIterable[Any]:
        return self.awaited.create_streaming_run(thread, self.request)


CLIENTS: dict[str, Callable[[str], Client]] = {"official": Official, "runstead": Runstead}


def measure(client: Client, seconds: float) -> dict[str, float]:
    """Calls and stream events per second of this process's processor time."""

    def get_run() -> int:
        client.get_run()
        return 1

    def stream(thread: str) -> Callable[[], int]:
        return lambda: checked(sum(1 for _ in client.stream(thread)))

    return {
        "call": per_cpu_second(get_run, seconds),
        "events": per_cpu_second(stream("thread_fine"), seconds),
        "events, coarse": per_cpu_second(stream("thread_coarse"), seconds),
    }


async def measure_async(client: Client, seconds: float) -> dict[str, float]:
    """The same for the async client; also many concurrent calls."""

    async def get_run() -> int:
        await client.get_run_async()
        return 1

    async def get_runs() -> int:
        return sum(await asyncio.gather(*(get_run() for _ in range(CONCURRENCY))))

    def stream(thread: str) -> Callable[[], Awaitable[int]]:
        async def follow() -> int:
            return checked(sum([1 async for _ in await client.stream_async(thread)]))

        return follow

    return {
        "async call": await per_cpu_second_async(get_run, seconds),
        "async calls": await per_cpu_second_async(get_runs, seconds),
        "async events": await per_cpu_second_async(stream("thread_fine"), seconds),
        "async events, coarse": await per_cpu_second_async(stream("thread_coarse"), seconds),
    }


def checked(events: int) -> int:
    """The number of received events; exits if any is missing."""
    if events != EVENTS:
        raise SystemExit(f"{events} of {EVENTS} events were received")
    return events


def per_cpu_second(work: Callable[[], int], seconds: float) -> float:
    _until(work, WARM_UP)
    return _until(work, seconds)


async def per_cpu_second_async(work: Callable[[], Awaitable[int]], seconds: float) -> float:
    await _until_async(work, WARM_UP)
    return await _until_async(work, seconds)


def _until(work: Callable[[], int], seconds: float) -> float:
    done, started = 0, process_time()
    while (used := process_time() - started) < seconds:
        done += work()
    return done / used


async def _until_async(work: Callable[[], Awaitable[int]], seconds: float) -> float:
    done, started = 0, process_time()
    while (used := process_time() - started) < seconds:
        done += await work()
    return done / used


def main() -> None:
    name, url, seconds = sys.argv[1:]
    client = CLIENTS[name](url)
    figures = measure(client, float(seconds)) | asyncio.run(measure_async(client, float(seconds)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
