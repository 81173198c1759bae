"""A program that writes until it is killed, and prints the id of every thread that was acknowledged."""

import asyncio
import os
import sys

from runstead.store.sqlite import SqliteStore
from tests.store.things import keep_thread

_WRITERS = 8
_MOST = 5_000
"""Threads a writer makes if it is not killed."""


async def main(path: str, turn: str) -> None:
    store = SqliteStore(path)
    await store.start()

    async def write(writer: int) -> None:
        for number in range(_MOST):
            id = f"thread_{turn}_{writer}_{number}"
            await store.write(keep_thread(id))
            os.write(1, f"{id}\n".encode())

    async with asyncio.TaskGroup() as group:
        for writer in range(_WRITERS):
            group.create_task(write(writer))


asyncio.run(main(sys.argv[1], sys.argv[2]))
