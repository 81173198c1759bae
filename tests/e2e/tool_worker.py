"""A program that runs the tools of one run until it is killed. It prints the run's ids, and the key of each call.

Calls whose arguments contain "hangs" never end. The others end at once.
"""

import asyncio
import os
import sys

from runstead.blobs.local import LocalBlobs
from runstead.broker.inprocess import InProcessBroker
from runstead.domain.run.journal import Call
from runstead.engine.adapters import Adapters, SystemClock
from runstead.llm.scripted import ScriptedModel, call
from runstead.store.port import Store
from runstead.store.postgres import PostgresStore
from runstead.store.sqlite import SqliteStore
from runstead.tools.port import ToolSession
from runstead.worker.application import run
from tests.support.callers import entered
from tests.support.tools import BOTH, Execute, Search
from tests.support.worlds import World

HANGS = "hangs"
TURN = [
    *(call("search", q="one"), call("execute", code="two"), call("search", q=HANGS), call("execute", code=HANGS)),
]


def say(*words: str) -> None:
    os.write(1, f"{' '.join(words)}\n".encode())


async def behave(call: Call, session: ToolSession) -> str:
    say("begins", session.key)
    if HANGS in call.arguments:
        await asyncio.Event().wait()
    return f"{call.name}: {call.arguments}"


def store_at(place: str, schema: str) -> Store:
    return PostgresStore(place, schema=schema) if schema else SqliteStore(place)


async def main(place: str, schema: str) -> None:
    adapters = Adapters(
        store=store_at(place, schema),
        broker=InProcessBroker(),
        blobs=LocalBlobs(None),
        model=ScriptedModel([TURN]),
        clock=SystemClock(),
        tools=[Search(behave), Execute(behave)],
    )
    async with run(adapters, lease=2.0) as application:
        here = World(application, await entered(application), adapters, None)
        made = await here.start(tools=BOTH)
        say("run", made.thread_id, made.id)
        ended = 0
        while ended < 2:
            await asyncio.sleep(0.01)
            rows = await adapters.store.read(lambda tx: tx.steps.of_run(made.id))
            ended = sum(each.ended for row in rows for each in row.calls)
        say("waits")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
