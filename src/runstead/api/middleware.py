"""Middleware for every request.

A request gets an id, and is refused if a foreign web page sent it. Exceptions become error replies. Every reply has
the request's id and its processing time.
"""

import logging
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runstead.api.errors import as_api_error, send_error
from runstead.api.host_check import HostCheck
from runstead.api.idempotency import IDEMPOTENCY_KEYS, safe_to_retry
from runstead.interface.transfer import Disconnected
from runstead.random_bytes import RandomBlocks

__all__ = ["HEADERS", "REQUEST_ID", "ApiMiddleware"]

HEADERS = "runstead.headers"
"""The key of the scope under which the headers are, by name; of a repeated header the last."""
REQUEST_ID = "runstead.request_id"
"""The key of the scope under which the request's id is."""

_log = logging.getLogger("runstead.api")
_VERSION = (b"openai-version", b"2020-10-01")


class ApiMiddleware:
    """The outermost layer of the server."""

    def __init__(
        self, app: ASGIApp, allowed_hosts: tuple[str, ...] = (), allowed_origins: tuple[str, ...] = ()
    ) -> None:
        self._app = app
        self._hosts = HostCheck(allowed_hosts, allowed_origins)
        self._random = RandomBlocks()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[HEADERS] = dict(scope["headers"])
        scope[REQUEST_ID] = f"req_{self._random.next().hex()}"
        reply = _Reply(scope[REQUEST_ID], send)
        try:
            self._hosts.check(scope[HEADERS], scope["method"])
            await self._app(scope, receive, reply.send)
        except Disconnected:
            return
        except Exception as error:
            if reply.status:
                raise  # the reply has begun, so no error can be sent: the server cuts the connection
            retry = safe_to_retry(scope["method"], scope[HEADERS])
            await send_error(reply.send, as_api_error(error, scope[REQUEST_ID]), safe_to_retry=retry)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug(
                "%s %s %a %d in %.1f ms",
                scope[REQUEST_ID], scope["method"], scope["path"], reply.status, reply.milliseconds(),
            )  # fmt: skip


class _Reply:
    """Sends a reply, with the headers that every reply has."""

    def __init__(self, request_id: str, send: Send) -> None:
        self._request_id = request_id.encode()
        self._send = send
        self._began = perf_counter()
        self.status = 0

    def milliseconds(self) -> float:
        return (perf_counter() - self._began) * 1000

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own: list[Any] = [
                (b"x-request-id", self._request_id),
                _VERSION,
                IDEMPOTENCY_KEYS,
                (b"openai-processing-ms", b"%d" % self.milliseconds()),
            ]
            message = {**message, "headers": [*message["headers"], *own]}
        await self._send(message)
