"""The server as one ASGI application, made from the table of endpoints.

```
request ─┬─ /v1/…  ─▶ border ─▶ dispatch     straight: a framework's layers would cost a tenth of a run
         └─ beside ─▶ Starlette, with the same border: health, the OpenAPI document, the pages to read it
```
"""

from typing import NoReturn

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from runstead.api.dispatch import PREFIX, Dispatch
from runstead.api.errors import MethodNotAllowed, invalid_url
from runstead.api.middleware import Border
from runstead.api.pages import pages
from runstead.api.port import Application, Project, Settings

__all__ = ["Application", "Project", "Settings", "create_app"]


def create_app(application: Application, settings: Settings | None = None) -> ASGIApp:
    """The API under `/v1`, with health, the OpenAPI document and the pages to read it beside."""
    settings = settings or Settings()
    beside = Starlette(
        routes=pages(application),
        middleware=[Middleware(Border, allowed_hosts=settings.allowed_hosts)],
        exception_handlers={HTTPException: _refuse},
    )
    beside.router.redirect_slashes = False
    beside.router.default = _nothing_here
    return _Fork(Border(Dispatch(application, settings), settings.allowed_hosts), beside)


class _Fork:
    """The API, or what is beside it."""

    def __init__(self, api: ASGIApp, beside: ASGIApp) -> None:
        self._api = api
        self._beside = beside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        below = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        await (self._api if below else self._beside)(scope, receive, send)


def _refuse(request: Request, error: Exception) -> Response:
    """Starlette's own refusals, in the API's shape: all that is left is a method that a page does not take."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "GET").split(", ")
    raise MethodNotAllowed(request.method, request.url.path, allowed)


async def _nothing_here(scope: Scope, _receive: Receive, _send: Send) -> NoReturn:
    raise invalid_url(scope.get("method", "GET"), scope["path"])
