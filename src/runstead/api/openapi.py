"""The OpenAPI document, made from the table of operations, the wire types and the interfaces' docstrings."""

import inspect
import re
import sys
from functools import cache
from typing import Any

import msgspec

from runstead.api.health import Health, Readiness, package_version
from runstead.interface.operation import Operation, Operations
from runstead.interface.operations import OPERATIONS
from runstead.wire.codec.introspect import pattern_in_json
from runstead.wire.endpoints.endpoint import AnyEndpoint, Nothing
from runstead.wire.error import ErrorBody
from runstead.wire.event import EVENT_DATA
from runstead.wire.struct import Request

__all__ = ["document", "document_json"]

_REF = "#/components/schemas/{name}"
_ABOUT = """Assistants, threads, messages and runs, as the Assistants API v2 has them.

Point any client of that API at this server by its base URL. Calls marked as extensions are not part of the original.
Lists are pages: go on with `after` set to `last_id` while `has_more` is true. Null of an optional field is "not given";
in an update it clears the field, if the field may be null."""
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
_RANGE = {
    "name": "Range",
    "in": "header",
    "required": False,
    "description": "One range of bytes, such as `bytes=0-1023`.",
    "schema": {"type": "string"},
}
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}}


@cache
def document_json() -> bytes:
    """The document as it is served."""
    return msgspec.json.encode(document())


def document(operations: Operations = OPERATIONS) -> dict[str, Any]:
    """The document of the whole API."""
    endpoints = [each.endpoint for each in operations.values()]
    queries = {each.query for each in endpoints} - {Nothing}
    forms = {each.body for each in endpoints if each.takes == "multipart"}
    bodies = {each.body for each in endpoints if each.takes == "json"}
    replies = {each.reply for each in endpoints if each.gives == "json"}
    kinds = sorted(queries | forms | bodies | replies | {ErrorBody, Health, Readiness, *EVENT_DATA.values()}, key=str)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    _spell_patterns(components)
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations.values():
        described = _operation(operation, schema_of, components)
        paths.setdefault(f"/v1{operation.endpoint.path}", {})[operation.endpoint.method.lower()] = described
    for kind in queries | (forms - bodies):
        components.pop(kind.__name__, None)  # their fields are parameters, or stand beside the files of a form
    parts = {part.__name__: part for part in map(_part, operations.values())}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Runstead", "version": package_version(), "description": _ABOUT},
        "tags": [*({"name": name, "description": _summary(part)} for name, part in parts.items()), _SERVER],
        "paths": paths | _probes(schema_of),
        "components": {
            "schemas": components,
            "responses": {"Error": _answer("What went wrong, in words.", schema_of[ErrorBody])},
        },
        "x-events": {name: schema_of[kind] for name, kind in EVENT_DATA.items()},
    }


def _spell_patterns(schema: Any) -> None:
    """Write the patterns inside in the syntax of JSON Schema."""
    if isinstance(schema, dict):
        if isinstance(pattern := schema.get("pattern"), str):
            schema["pattern"] = pattern_in_json(pattern)
        schema = list(schema.values())
    if isinstance(schema, list):
        for inner in schema:
            _spell_patterns(inner)


def _operation(operation: Operation, schema_of: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    endpoint = operation.endpoint
    described: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [_part(operation).__name__],
        "summary": _summary(operation.method),
        "description": inspect.getdoc(operation.method),
        "parameters": _parameters(endpoint, components),
        "responses": _success(endpoint, schema_of) | {"default": {"$ref": "#/components/responses/Error"}},
    }
    if endpoint.takes == "json":
        required = any(field.required for field in msgspec.structs.fields(endpoint.body))
        content = {"application/json": {"schema": schema_of[endpoint.body]}}
        described["requestBody"] = {"required": required, "content": content}
    elif endpoint.takes == "multipart":
        content = {"multipart/form-data": {"schema": _form(endpoint, components)}}
        described["requestBody"] = {"required": True, "content": content}
    if endpoint.extension:
        described["x-extension"] = True
    if endpoint.access != "project":
        described["x-scope"] = endpoint.access
    return described


def _form(endpoint: AnyEndpoint, components: dict[str, Any]) -> dict[str, Any]:
    """The fields of a form, and its files."""
    fields = components[endpoint.body.__name__]
    files = {name: {"type": "string", "contentMediaType": "application/octet-stream"} for name in endpoint.files}
    required = [*fields.get("required", ()), *files]
    return {"type": "object", "properties": fields["properties"] | files, "required": required}


def _parameters(endpoint: AnyEndpoint, components: dict[str, Any]) -> list[dict[str, Any]]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", endpoint.path)
    ]
    query = [] if endpoint.query is Nothing else _query_parameters(endpoint.query, components)
    header = {"json": [], "events": [_LAST_EVENT_ID], "bytes": [_RANGE]}[endpoint.gives]
    header = header + ([_KEY] if endpoint.method == "POST" else [])
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


def _success(endpoint: AnyEndpoint, schema_of: dict[Any, Any]) -> dict[str, Any]:
    """The successful responses, by status."""
    if endpoint.gives == "bytes":
        part = {"description": "The range that was asked for.", "content": _BYTES}
        unsatisfiable = {"description": "The range begins after the end."}
        return {"200": {"description": "The content.", "content": _BYTES}, "206": part, "416": unsatisfiable}
    content: dict[str, Any] = {}
    if endpoint.gives == "json":
        content["application/json"] = {"schema": schema_of[endpoint.reply]}
    if endpoint.gives == "events" or endpoint.streaming is not None:
        content["text/event-stream"] = {"schema": {"type": "string", "description": _FRAMES}}
    return {"200": {"description": "Done.", "content": content}}


def _probes(schema_of: dict[Any, Any]) -> dict[str, Any]:
    alive = _answer("The process lives.", schema_of[Health])
    ready = _answer("What works.", schema_of[Readiness])
    return {
        "/health": {"get": _probe("health", "Whether the server lives.", {"200": alive})},
        "/ready": {"get": _probe("ready", "Whether calls to the server can succeed.", {"200": ready, "503": ready})},
    }


def _probe(name: str, summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": name,
        "tags": ["Server"],
        "summary": summary,
        "parameters": [],
        "responses": responses,
    }


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _part(operation: Operation) -> type:
    """The part of the interface that has the operation's method: each is a chapter."""
    part: type = getattr(sys.modules[operation.method.__module__], operation.method.__qualname__.partition(".")[0])
    return part


def _summary(described: object) -> str:
    return (inspect.getdoc(described) or "").partition("\n")[0]
