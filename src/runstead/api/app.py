"""The server as one ASGI application, made from the table of operations.

```
request ─┬─ an address of the API ─▶ middleware ─▶ dispatch    without a framework: its layers cost a tenth of a run
         └─ else ─▶ Starlette, with the same middleware: health, the OpenAPI document, the pages to read it
```
"""

from typing import NoReturn

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from runstead.api.address import ADDRESS, address_of
from runstead.api.cors import with_cors
from runstead.api.dispatch import Dispatch
from runstead.api.errors import MethodNotAllowed, invalid_url
from runstead.api.middleware import ApiMiddleware
from runstead.api.pages import pages, probes
from runstead.api.port import Application, Settings
from runstead.interface.operation import Operations
from runstead.interface.operations import OPERATIONS

__all__ = ["Application", "Settings", "create_app", "create_probes"]


def create_app(
    application: Application, settings: Settings | None = None, operations: Operations = OPERATIONS
) -> ASGIApp:
    """The operations at their addresses. Beside them: health, the OpenAPI document and the pages to read it."""
    settings = settings or Settings()
    site = _site(pages(application), settings.allowed_hosts, settings.allowed_origins)
    dispatch = Dispatch(operations, application, settings)
    api = ApiMiddleware(dispatch, settings.allowed_hosts, settings.allowed_origins)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        address = address_of(scope["path"]) if scope["type"] == "http" else None
        if address is None:
            await site(scope, receive, send)
        else:
            scope[ADDRESS] = address
            await api(scope, receive, send)

    return with_cors(app, settings.allowed_origins)


def create_probes(application: Application, allowed_hosts: tuple[str, ...] = ()) -> ASGIApp:
    """Only the probes of a process that serves no API: `/health` and `/ready`."""
    return _site(probes(application), allowed_hosts, ())


def _site(routes: list[Route], allowed_hosts: tuple[str, ...], allowed_origins: tuple[str, ...]) -> Starlette:
    site = Starlette(
        routes=routes,
        middleware=[Middleware(ApiMiddleware, allowed_hosts, allowed_origins)],
        exception_handlers={HTTPException: _refuse},
    )
    site.router.redirect_slashes = False
    site.router.default = _not_found
    return site


def _refuse(request: Request, error: Exception) -> Response:
    """Starlette's errors in the API's shape. The only one that can happen is an unsupported method."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "GET").split(", ")
    raise MethodNotAllowed(request.method, request.url.path, allowed)


async def _not_found(scope: Scope, _receive: Receive, _send: Send) -> NoReturn:
    raise invalid_url(scope.get("method", "GET"), scope["path"])
