"""A model that counts its concurrent requests."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from runstead.domain.model_call import ModelRequest, Piece
from runstead.llm.script import Turn
from runstead.llm.scripted import ScriptedModel

__all__ = ["Crowd"]


class Crowd(ScriptedModel):
    """Gives every request the same answer."""

    def __init__(self, turn: Turn = "Hello") -> None:
        super().__init__(lambda _: turn)
        self.now = 0
        self.most = 0
        self.each: Counter[str] = Counter()
        """The number of requests in progress, by the name of the model."""

    @asynccontextmanager
    async def reply(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[Sequence[Piece]]]:
        self.now += 1
        self.each[request.model] += 1
        self.most = max(self.most, self.now)
        try:
            async with super().reply(request) as batches:
                yield batches
        finally:
            self.now -= 1
            self.each[request.model] -= 1
