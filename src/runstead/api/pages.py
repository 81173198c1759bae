"""Pages beside the API: health, the OpenAPI document and its viewer."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from runstead.api.health import health, readiness
from runstead.api.openapi import document_json
from runstead.api.port import Application

__all__ = ["pages", "probes"]

_STATIC = {
    "/docs": ("docs.html", "text/html; charset=utf-8"),
    "/docs/docs.css": ("docs.css", "text/css; charset=utf-8"),
    "/docs/docs.js": ("docs.js", "text/javascript; charset=utf-8"),
    "/docs/schema.js": ("schema.js", "text/javascript; charset=utf-8"),
}
_SECURITY_HEADERS = {
    # The page calls this server only, and runs only its own files.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def pages(application: Application) -> list[Route]:
    """The routes of everything that is not the API itself."""

    async def openapi(_: Request) -> Response:
        return Response(document_json(), media_type="application/json")

    async def home(_: Request) -> Response:
        return RedirectResponse("/docs")

    return [
        *probes(application),
        Route("/openapi.json", openapi),
        Route("/", home),
        *(Route(path, _file(name, kind)) for path, (name, kind) in _STATIC.items()),
    ]


def probes(application: Application) -> list[Route]:
    """The probes: `/health` answers while the process runs, `/ready` says whether calls can succeed."""

    async def health_page(_: Request) -> Response:
        return Response(msgspec.json.encode(health(application)), media_type="application/json")

    async def ready_page(_: Request) -> Response:
        state = await readiness(application)
        return Response(msgspec.json.encode(state), 200 if state.status == "ok" else 503, media_type="application/json")

    return [Route("/health", health_page), Route("/ready", ready_page)]


def _file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    body = files("runstead.api").joinpath("static", name).read_bytes()

    async def serve(_: Request) -> Response:
        return Response(body, headers={"content-type": kind, **_SECURITY_HEADERS})

    return serve
