"""A scripted model that counts its concurrent answers."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from runstead.domain.model_call import ModelRequest, Piece
from runstead.llm.scripted import ScriptedModel, Turn

__all__ = ["CountingModel"]


class CountingModel(ScriptedModel):
    """Answers every request with the same turn."""

    def __init__(self, turn: Turn = "Hello") -> None:
        super().__init__(lambda _: turn)
        self.active = 0
        self.max_active = 0
        self.active_by_name: Counter[str] = Counter()
        """The answers that are active, by the name of the model."""

    @asynccontextmanager
    async def reply(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[Sequence[Piece]]]:
        self.active += 1
        self.active_by_name[request.model] += 1
        self.max_active = max(self.max_active, self.active)
        try:
            async with super().reply(request) as batches:
                yield batches
        finally:
            self.active -= 1
            self.active_by_name[request.model] -= 1
