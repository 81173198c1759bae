"""A receiver of webhooks on this machine. It records requests, and answers as the test sets."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import web

from tests.support.waiting import within

__all__ = ["ReceivedRequest", "Receiver", "receiver"]


class ReceivedRequest(NamedTuple):
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


class Receiver:
    """The recorded requests, and the answers to come."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[ReceivedRequest] = []
        self.statuses: list[int] = []
        """The statuses of the next answers. All later ones are 200."""
        self.hangs = False
        """Requests are recorded and never answered."""
        self.slow: asyncio.Event | None = None
        """Requests are answered once this event is set."""
        self._more = asyncio.Event()

    async def next(self, number: int = 1) -> list[ReceivedRequest]:
        """All requests so far, once they are at least `number`."""
        async with within():
            while len(self.requests) < number:
                self._more.clear()
                await self._more.wait()
        return self.requests

    async def take(self, request: web.Request) -> web.Response:
        self.requests.append(ReceivedRequest(request.path, request.headers, await request.read()))
        self._more.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.slow is not None:
            await self.slow.wait()
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A listening receiver."""
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
