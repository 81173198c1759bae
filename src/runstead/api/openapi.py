"""The OpenAPI document, printed from the table of endpoints, the types and the interfaces' docstrings."""

import inspect
import re
from functools import cache
from typing import Any

import msgspec

from runstead.api.health import Health, package_version
from runstead.interface import Interface
from runstead.wire.codec.introspect import pattern_in_json
from runstead.wire.endpoint import ENDPOINTS, Endpoint
from runstead.wire.error import ErrorBody
from runstead.wire.event import EVENT_DATA
from runstead.wire.struct import Request

__all__ = ["document", "document_json"]

_REF = "#/components/schemas/{name}"
_ABOUT = """Assistants, threads, messages and runs, as the Assistants API v2 has them.

Point any client of that API at this server by its base URL. Calls marked as extensions are not part of the original.
Lists are pages: go on with `after` set to `last_id` while `has_more` is true."""
_FRAMES = """Events, when the body says `stream: true`; always, where there is no body.

Each frame is `id: …`, `event: <name>` and `data: <JSON>`, with the names and data of `x-events` in this document. The
last one is `event: done` with `data: [DONE]`. An id is a place to go on from: give it as `Last-Event-ID` or `after` to
the run's `/events`."""
_SERVER = {"name": "Server", "description": "The server itself."}
_BETA = {
    "name": "OpenAI-Beta",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "const": "assistants=v2"},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request with the same key is carried out once, and answered alike for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The id of the last event that was seen. It goes before `after`.",
    "schema": {"type": "string"},
}


@cache
def document_json() -> bytes:
    """The document as it is served."""
    return msgspec.json.encode(document())


def document() -> dict[str, Any]:
    """The document of the whole API."""
    endpoints = list(ENDPOINTS.values())
    bodies = {kind for endpoint in endpoints for kind in (endpoint.body, endpoint.query) if kind}
    replies = {endpoint.reply for endpoint in endpoints if not _always_streams(endpoint)}
    kinds = sorted(bodies | replies | {ErrorBody, Health, *EVENT_DATA.values()}, key=str)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    _spell_patterns(components)
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schema_of, components)
        paths.setdefault(f"/v1{endpoint.path}", {})[endpoint.method.lower()] = operation
    for endpoint in endpoints:
        if endpoint.query is not None:
            components.pop(endpoint.query.__name__, None)  # their fields are parameters
    return {
        "openapi": "3.1.0",
        "info": {"title": "Runstead", "version": package_version(), "description": _ABOUT},
        "tags": [*({"name": name, "description": _summary(kind)} for name, kind in _groups().items()), _SERVER],
        "paths": paths | {"/health": {"get": _health(schema_of)}},
        "components": {
            "schemas": components,
            "responses": {"Error": _answer("What went wrong, in words.", schema_of[ErrorBody])},
        },
        "x-events": {name: schema_of[kind] for name, kind in EVENT_DATA.items()},
    }


def _spell_patterns(schema: Any) -> None:
    """Write the patterns inside as JSON Schema has them."""
    if isinstance(schema, dict):
        if isinstance(pattern := schema.get("pattern"), str):
            schema["pattern"] = pattern_in_json(pattern)
        schema = list(schema.values())
    if isinstance(schema, list):
        for inner in schema:
            _spell_patterns(inner)


def _operation(endpoint: Endpoint[Any], schema_of: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    method = getattr(Interface, endpoint.name)
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [next(name for name, kind in _groups().items() if endpoint.name in vars(kind))],
        "summary": _summary(method),
        "description": inspect.getdoc(method),
        "parameters": _parameters(endpoint, components),
        "responses": {"200": _success(endpoint, schema_of), "default": {"$ref": "#/components/responses/Error"}},
    }
    if endpoint.body is not None:
        required = any(field.required for field in msgspec.structs.fields(endpoint.body))
        operation["requestBody"] = {
            "required": required,
            "content": {"application/json": {"schema": schema_of[endpoint.body]}},
        }
    if endpoint.extension:
        operation["x-extension"] = True
    return operation


def _parameters(endpoint: Endpoint[Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", endpoint.path)
    ]
    query = _query_parameters(endpoint.query, components) if endpoint.query else []
    header = [_LAST_EVENT_ID] if _always_streams(endpoint) else []
    header += [_KEY] if endpoint.method == "POST" else []
    return path + query + header + ([_BETA] if endpoint.beta else [])


def _query_parameters(query: type[Request], components: dict[str, Any]) -> list[dict[str, Any]]:
    properties: dict[str, Any] = components[query.__name__]["properties"]
    return [
        {
            "name": f"{name}[]" if schema.get("type") == "array" else name,
            "in": "query",
            "required": False,
            "schema": schema,
        }
        for name, schema in properties.items()
    ]


def _success(endpoint: Endpoint[Any], schema_of: dict[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if not _always_streams(endpoint):
        content["application/json"] = {"schema": schema_of[endpoint.reply]}
    if endpoint.streaming is not None:
        content["text/event-stream"] = {"schema": {"type": "string", "description": _FRAMES}}
    return {"description": "Done.", "content": content}


def _health(schema_of: dict[Any, Any]) -> dict[str, Any]:
    answer = _answer("How the server is.", schema_of[Health])
    return {
        "operationId": "health",
        "tags": ["Server"],
        "summary": "Whether the server is well.",
        "parameters": [],
        "responses": {"200": answer, "503": answer},
    }


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


@cache
def _groups() -> dict[str, type]:
    """The parts of the interface, by name: each is a chapter."""
    parts = [kind for kind in Interface.__mro__ if kind.__module__.startswith("runstead.interface.")]
    return {kind.__name__: kind for kind in parts}


def _summary(described: object) -> str:
    return (inspect.getdoc(described) or "").partition("\n")[0]


def _always_streams(endpoint: Endpoint[Any]) -> bool:
    return endpoint.streaming == endpoint.name
