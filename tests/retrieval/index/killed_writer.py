"""Publishes files into an index, one after the other, until it is killed: `killed_writer.py FILE FIRST`."""

import asyncio
import sys
from itertools import count
from pathlib import Path

from runstead.retrieval.index.sqlite import SqliteIndex
from tests.contract.index.passages import chunks_of, entry, vectors

__all__ = ["CHUNKS", "texts"]

CHUNKS = 12


def texts(number: int) -> list[str]:
    return [f"passage {part} of document{number}" for part in range(CHUNKS)]


async def main(path: str, first: int) -> None:
    index = SqliteIndex(Path(path))
    await index.start()
    for number in count(first):
        what = entry(f"file_{number % 5}", str(number))
        for part in range(0, CHUNKS, 4):
            some = texts(number)[part : part + 4]
            await index.add(what, chunks_of(some, part), vectors(some))
        await index.publish(what, {"number": number})
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
