"""A receiver of webhooks on this machine: it keeps what comes, and answers as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import web

from tests.support.waiting import within

__all__ = ["Receiver", "RecordedReply", "receiver"]


class RecordedReply(NamedTuple):
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


class Receiver:
    """What came, and what is answered."""

    def __init__(self) -> None:
        self.url = ""
        self.told: list[RecordedReply] = []
        self.statuses: list[int] = []
        """Answers to come; 200 behind that."""
        self.hangs = False
        """It takes what comes, and does not answer any more."""
        self.slow: asyncio.Event | None = None
        """It answers when this is set."""
        self._more = asyncio.Event()

    async def next(self, number: int = 1) -> list[RecordedReply]:
        """What has come, once it is so much in all."""
        async with within():
            while len(self.told) < number:
                self._more.clear()
                await self._more.wait()
        return self.told

    async def take(self, request: web.Request) -> web.Response:
        self.told.append(RecordedReply(request.path, request.headers, await request.read()))
        self._more.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.slow is not None:
            await self.slow.wait()
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver, listening."""
    taking = Receiver()
    application = web.Application()
    application.router.add_post("/{path:.*}", taking.take)
    runner = web.AppRunner(application, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        _, port = runner.addresses[0]
        taking.url = f"http://127.0.0.1:{port}/hook"
        yield taking
    finally:
        await runner.cleanup()
