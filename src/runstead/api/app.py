"""The server as one ASGI application, made from the table of endpoints."""

from typing import NoReturn

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from runstead.api.border import Border
from runstead.api.dispatch import Dispatch
from runstead.api.errors import MethodNotAllowed, invalid_url
from runstead.api.pages import pages
from runstead.api.port import Application, Project, Settings

__all__ = ["Application", "Project", "Settings", "create_app"]


def create_app(application: Application, settings: Settings | None = None) -> Starlette:
    """The API under `/v1`, with health, the OpenAPI document and the pages to read it beside."""
    settings = settings or Settings()
    app = Starlette(
        routes=[Mount("/v1", Dispatch(application, settings)), *pages(application)],
        middleware=[Middleware(Border, allowed_hosts=settings.allowed_hosts)],
        exception_handlers={HTTPException: _refuse},
    )
    app.router.redirect_slashes = False
    app.router.default = _nothing_here
    return app


def _refuse(request: Request, error: Exception) -> Response:
    """Starlette's own refusals, in the API's shape: all that is left is a method that a page does not take."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "GET").split(", ")
    raise MethodNotAllowed(request.method, request.url.path, allowed)


async def _nothing_here(scope: Scope, _receive: Receive, _send: Send) -> NoReturn:
    raise invalid_url(scope.get("method", "GET"), scope["path"])
