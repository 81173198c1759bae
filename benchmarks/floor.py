"""The floor: a minimal Starlette server that answers the five requests of a run and relays its model call.

It stores, validates and parses nothing, so no real implementation on the same web server can be faster.
"""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from benchmarks.fake_model import text

THREAD = b'{"id":"thread_floor","object":"thread"}'
MESSAGE = b'{"id":"msg_floor","object":"thread.message"}'
RUN = b'{"id":"run_floor","object":"thread.run","status":"completed"}'
MESSAGES = b'{"object":"list","data":[{"content":[{"type":"text","text":{"value":"%b"}}]}]}' % text(20).encode()


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as app.state.model:
        yield


async def create_thread(request: Request) -> Response:
    await request.json()
    return Response(THREAD, media_type="application/json")


async def create_message(request: Request) -> Response:
    await request.json()
    return Response(MESSAGE, media_type="application/json")


async def create_run(request: Request) -> Response:
    asked = await request.json()
    body = {"model": asked["model"], "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    return StreamingResponse(relay(request.app.state.model, body), media_type="text/event-stream")


async def relay(model: aiohttp.ClientSession, body: object) -> AsyncIterator[bytes]:
    async with model.post(f"{sys.argv[1]}/chat/completions", json=body) as answer:
        async for data in answer.content.iter_any():
            yield data


async def get_run(_: Request) -> Response:
    return Response(RUN, media_type="application/json")


async def list_messages(_: Request) -> Response:
    return Response(MESSAGES, media_type="application/json")


ROUTES = [
    Route("/v1/threads", create_thread, methods=["POST"]),
    Route("/v1/threads/{thread_id}/messages", create_message, methods=["POST"]),
    Route("/v1/threads/{thread_id}/messages", list_messages),
    Route("/v1/threads/{thread_id}/runs", create_run, methods=["POST"]),
    Route("/v1/threads/{thread_id}/runs/{run_id}", get_run),
]


def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listening.getsockname()[1], flush=True)
    app = Starlette(routes=ROUTES, lifespan=lifespan)
    config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
