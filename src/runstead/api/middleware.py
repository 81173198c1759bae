"""The border: what holds for every request, whatever it asks for.

A request gets an id, is refused if a stranger's page sent it, and is answered in the error shape when anything below
raises. Every answer says its request id and how long it took.
"""

import logging
import secrets
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runstead.api.body import Disconnected
from runstead.api.errors import as_api_error, send_error
from runstead.api.host_check import Visitors
from runstead.api.idempotency import KEEPS, safe_to_retry

__all__ = ["HEADERS", "REQUEST_ID", "Border"]

HEADERS = "runstead.headers"
"""Where the scope has the request's headers by name; of a repeated one the last."""
REQUEST_ID = "runstead.request_id"
"""Where the scope has the request's id."""

_log = logging.getLogger("runstead.api")
_VERSION = (b"openai-version", b"2020-10-01")


class Border:
    """The outermost layer of the server."""

    def __init__(self, app: ASGIApp, allowed_hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._visitors = Visitors(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[HEADERS] = dict(scope["headers"])
        scope[REQUEST_ID] = f"req_{secrets.token_hex(16)}"
        answer = _Answer(scope[REQUEST_ID], send)
        try:
            self._visitors.check(scope[HEADERS])
            await self._app(scope, receive, answer.send)
        except Disconnected:
            return
        except Exception as error:
            if answer.status:
                raise  # half an answer cannot be mended: the server cuts the connection
            again = safe_to_retry(scope["method"], scope[HEADERS])
            await send_error(answer.send, as_api_error(error, scope[REQUEST_ID]), safe_to_retry=again)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug(
                "%s %s %a %d in %.1f ms",
                scope[REQUEST_ID], scope["method"], scope["path"], answer.status, answer.milliseconds(),
            )  # fmt: skip


class _Answer:
    """The way out: adds the headers that every answer has."""

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
                KEEPS,
                (b"openai-processing-ms", b"%d" % self.milliseconds()),
            ]
            message = {**message, "headers": [*message["headers"], *own]}
        await self._send(message)
