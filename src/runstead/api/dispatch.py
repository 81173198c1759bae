"""From a request to the handler of its endpoint."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from starlette.types import Receive, Scope, Send

from runstead.api.address import ADDRESS, PREFIX
from runstead.api.bodies import Bodies
from runstead.api.errors import MethodNotAllowed, invalid_url
from runstead.api.handlers.bytes import BytesHandler
from runstead.api.handlers.events import EventsHandler
from runstead.api.handlers.json import JsonHandler
from runstead.api.port import Application, Settings
from runstead.api.routing import Routes
from runstead.interface.operation import Operation, Operations
from runstead.wire.error import ServerError

__all__ = ["Dispatch"]


class _Handler(Protocol):
    """Answers requests to one endpoint; `path` holds the values of the path's parameters."""

    async def __call__(self, path: Mapping[str, str], scope: Scope, receive: Receive, send: Send) -> None: ...


_Maker: TypeAlias = Callable[[Operation, Application, Settings, Bodies], _Handler]
_HANDLERS: Mapping[str, _Maker] = {"json": JsonHandler, "events": EventsHandler, "bytes": BytesHandler}


class Dispatch:
    """Every operation of a table, at its address."""

    def __init__(self, operations: Operations, application: Application, settings: Settings) -> None:
        self._application = application
        self._routes: Routes[_Handler] = Routes()
        bodies = Bodies(max(settings.bodies_limit, settings.body_limit))
        for operation in operations.values():
            endpoint = operation.endpoint
            path = endpoint.path.replace("{model}", "{model:path}")  # models are named with slashes
            handler = _HANDLERS[endpoint.gives](operation, application, settings, bodies)
            self._routes.add(endpoint.method, PREFIX + path, handler)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handlers, path = self._routes.find(scope[ADDRESS].path)
        if not handlers:
            raise invalid_url(scope["method"], scope["path"])
        handler = handlers.get(scope["method"])
        if handler is None:
            raise MethodNotAllowed(scope["method"], scope["path"], handlers)
        if not self._application.ready:
            doing = "about to stop" if self._application.draining.is_set() else "starting"
            raise ServerError(f"The server is {doing}. Please try again in a moment.", status=503)
        await handler(path, scope, receive, send)
