"""A server with an embeddings API on a real socket. It embeds by counting words, and misbehaves where a test asks."""

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import numpy as np
from aiohttp import web

__all__ = ["DIMENSION", "Answer", "EmbeddingServerDouble", "answered", "changed", "refused", "serving"]

DIMENSION = 32
Answer: TypeAlias = Callable[["EmbeddingServerDouble", dict[str, Any]], Awaitable[web.StreamResponse]]


class EmbeddingServerDouble:
    """Answers each request with the next of its answers, and all others as such a server should."""

    def __init__(self, answers: Sequence[Answer], dimension: int) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.url = ""
        self._dimension = dimension

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        return await (self.answers.pop(0) if self.answers else answered)(self, body)

    def vector(self, text: str) -> list[float]:
        """The words of a text, counted in places that their hashes choose."""
        counts = np.zeros(self._dimension, dtype=np.float32)
        for word in text.lower().split() or [""]:
            counts[int(hashlib.sha256(word.encode()).hexdigest(), 16) % self._dimension] += 1
        return [float(each) for each in counts]

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        vectors = [self.vector(text) for text in body["input"]]
        encoded = [_base64(vector) if body.get("encoding_format") == "base64" else vector for vector in vectors]
        data = [{"object": "embedding", "index": i, "embedding": each} for i, each in enumerate(encoded)]
        return {"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 1}}


async def answered(server: EmbeddingServerDouble, body: dict[str, Any]) -> web.StreamResponse:
    """The answer as it should be."""
    return web.json_response(server.answer(body))


def changed(change: Callable[[dict[str, Any]], Any]) -> Answer:
    """The answer in numbers, and with a change."""

    async def answer(server: EmbeddingServerDouble, body: dict[str, Any]) -> web.StreamResponse:
        found = server.answer({**body, "encoding_format": "float"})
        change(found)
        return web.json_response(found)

    return answer


def refused(status: int, error: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """An error answer."""

    async def answer(server: EmbeddingServerDouble, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response(error, status=status, headers=headers)

    return answer


@asynccontextmanager
async def serving(*answers: Answer, dimension: int = DIMENSION) -> AsyncIterator[EmbeddingServerDouble]:
    server = EmbeddingServerDouble(answers, dimension)
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/embeddings", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


def _base64(vector: list[float]) -> str:
    return base64.b64encode(np.array(vector, dtype="<f4").tobytes()).decode()
