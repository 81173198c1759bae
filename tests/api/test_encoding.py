"""Large replies are encoded while other tasks go on."""

import asyncio

import msgspec

from runstead.api.handlers.encoding import encoded
from runstead.wire.search import FileContentPage, TextContent


async def test_other_tasks_run_between_the_parts_of_a_text() -> None:
    page = FileContentPage(data=[TextContent(text=f"part {number} \N{FOX FACE}") for number in range(20)])
    turns = 0

    async def another() -> None:
        nonlocal turns
        while len(bodies) == 0:
            turns += 1
            await asyncio.sleep(0)

    bodies: list[bytes] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(another())
        bodies.append(await encoded(page))
    assert turns >= len(page.data)
    assert bodies == [msgspec.json.encode(page)]
