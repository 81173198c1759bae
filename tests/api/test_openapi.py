import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from runstead.api.openapi import document
from runstead.wire.endpoints import ENDPOINTS
from runstead.wire.endpoints.endpoint import AnyEndpoint
from runstead.wire.event import EventName
from tests.api.served import Stage, called
from tests.support.files import FILES

DOCUMENT = document()
every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=lambda each: each.name)


def operation(endpoint: AnyEndpoint) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][f"/v1{endpoint.path}"][endpoint.method.lower()]
    return found


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


async def test_the_document_is_served() -> None:
    async with called(Stage()) as client:
        response = await client.get("http://127.0.0.1/openapi.json")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == json.loads(json.dumps(DOCUMENT))
    assert response.json()["openapi"] == "3.1.0"


def test_every_reference_resolves() -> None:
    for reference in set(references(DOCUMENT)):
        node = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            node = node[name]
        assert node


def test_every_schema_is_used() -> None:
    used = set(references(DOCUMENT))
    assert [name for name in DOCUMENT["components"]["schemas"] if f"#/components/schemas/{name}" not in used] == []


@every_endpoint
def test_an_endpoint_is_described(endpoint: AnyEndpoint) -> None:
    said = operation(endpoint)
    assert said["operationId"] == endpoint.name
    assert said["summary"].endswith((".", "?"))
    assert set(said["tags"]) < {tag["name"] for tag in DOCUMENT["tags"]}
    assert len(said["tags"]) == 1
    assert said.get("x-extension", False) is endpoint.extension
    assert said["responses"]["default"] == {"$ref": "#/components/responses/Error"}


@every_endpoint
def test_an_endpoint_has_the_parameters_of_the_table(endpoint: AnyEndpoint) -> None:
    said = {(each["in"], each["name"].removesuffix("[]")) for each in operation(endpoint)["parameters"]}
    path = {("path", name) for name in re.findall(r"{(\w+)}", endpoint.path)}
    query = {("query", name) for name in endpoint.query.__struct_fields__}
    headers = {("header", "OpenAI-Beta")} if endpoint.beta else set()
    headers |= {("header", "Last-Event-ID")} if endpoint.name == "run_events" else set()
    headers |= {("header", "Range")} if endpoint.gives == "bytes" else set()
    headers |= {("header", "Idempotency-Key")} if endpoint.method == "POST" else set()
    assert said == path | query | headers


@every_endpoint
def test_an_endpoint_has_the_body_and_the_replies_of_the_table(endpoint: AnyEndpoint) -> None:
    said = operation(endpoint)
    if endpoint.takes == "nothing":
        assert "requestBody" not in said
    elif endpoint.takes == "multipart":
        form = said["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert set(form["properties"]) == {*endpoint.body.__struct_fields__, *endpoint.files}
    else:
        schema = said["requestBody"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": f"#/components/schemas/{endpoint.body.__name__}"}
    replies = set(said["responses"]["200"]["content"])
    streams = {"text/event-stream"} if endpoint.streaming else set()
    kinds = {"json": "application/json", "events": "text/event-stream", "bytes": "application/octet-stream"}
    assert replies == streams | {kinds[endpoint.gives]}


def test_a_body_without_required_fields_is_optional() -> None:
    assert DOCUMENT["paths"]["/v1/threads"]["post"]["requestBody"]["required"] is False
    assert DOCUMENT["paths"]["/v1/assistants"]["post"]["requestBody"]["required"] is True


def test_every_event_is_listed_with_its_data() -> None:
    assert set(DOCUMENT["x-events"]) == {str(name) for name in EventName}
    assert DOCUMENT["x-events"]["thread.run.created"] == {"$ref": "#/components/schemas/Run"}


@pytest.mark.parametrize("kind", ["Function", "JsonSchema"])
def test_patterns_are_those_of_the_error_messages(kind: str) -> None:
    assert DOCUMENT["components"]["schemas"][kind]["properties"]["name"]["pattern"] == "^[a-zA-Z0-9_-]+$"


def test_a_form_with_files_is_described() -> None:
    described = document(FILES)
    body = described["paths"]["/v1/files"]["post"]["requestBody"]
    schema = body["content"]["multipart/form-data"]["schema"]
    assert body["required"]
    assert set(schema["properties"]) == {"purpose", "tags", "keep_days", "file"}
    assert schema["properties"]["file"] == {"type": "string", "contentMediaType": "application/octet-stream"}
    assert schema["required"] == ["purpose", "file"]
    assert "FileRequest" not in described["components"]["schemas"]


def test_content_in_bytes_is_described() -> None:
    described = document(FILES)["paths"]["/v1/files/{file_id}/content"]["get"]
    assert {"200", "206", "416", "default"} == set(described["responses"])
    assert set(described["responses"]["206"]["content"]) == {"application/octet-stream"}
    assert {each["name"] for each in described["parameters"]} == {"file_id", "Range", "OpenAI-Beta"}


def test_administration_is_marked() -> None:
    described = document(FILES)
    assert described["paths"]["/v1/organization/files"]["get"]["x-scope"] == "admin"
    assert {tag["name"] for tag in described["tags"]} == {"Files", "FileAdministration", "Server"}
