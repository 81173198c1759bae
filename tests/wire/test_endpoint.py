"""The table against the contract's section 2, and against the interfaces."""

import re
from typing import get_type_hints

import pytest

from runstead.wire.endpoints import (
    ENDPOINTS,
    assistants,
    embeddings,
    files,
    messages,
    models,
    projects,
    runs,
    threads,
    vector_stores,
    webhooks,
)
from runstead.wire.endpoints.endpoint import AnyEndpoint

RUN = "/threads/{thread_id}/runs/{run_id}"
FILES = {
    ("GET", "/files"),
    ("POST", "/files"),
    ("GET", "/files/{file_id}"),
    ("DELETE", "/files/{file_id}"),
    ("GET", "/files/{file_id}/content"),
}
STORE = "/vector_stores/{vector_store_id}"
VECTOR_STORES = {
    ("GET", "/vector_stores"),
    ("POST", "/vector_stores"),
    ("GET", STORE),
    ("POST", STORE),
    ("DELETE", STORE),
    ("POST", f"{STORE}/search"),
    ("GET", f"{STORE}/files"),
    ("POST", f"{STORE}/files"),
    ("GET", f"{STORE}/files/{{file_id}}"),
    ("POST", f"{STORE}/files/{{file_id}}"),
    ("DELETE", f"{STORE}/files/{{file_id}}"),
    ("GET", f"{STORE}/files/{{file_id}}/content"),
    ("POST", f"{STORE}/file_batches"),
    ("GET", f"{STORE}/file_batches/{{batch_id}}"),
    ("POST", f"{STORE}/file_batches/{{batch_id}}/cancel"),
    ("GET", f"{STORE}/file_batches/{{batch_id}}/files"),
}
STANDARD = {
    ("GET", "/assistants"),
    ("POST", "/assistants"),
    ("GET", "/assistants/{assistant_id}"),
    ("POST", "/assistants/{assistant_id}"),
    ("DELETE", "/assistants/{assistant_id}"),
    ("POST", "/threads"),
    ("GET", "/threads/{thread_id}"),
    ("POST", "/threads/{thread_id}"),
    ("DELETE", "/threads/{thread_id}"),
    ("GET", "/threads/{thread_id}/messages"),
    ("POST", "/threads/{thread_id}/messages"),
    ("GET", "/threads/{thread_id}/messages/{message_id}"),
    ("POST", "/threads/{thread_id}/messages/{message_id}"),
    ("DELETE", "/threads/{thread_id}/messages/{message_id}"),
    ("POST", "/threads/runs"),
    ("GET", "/threads/{thread_id}/runs"),
    ("POST", "/threads/{thread_id}/runs"),
    ("GET", RUN),
    ("POST", RUN),
    ("POST", f"{RUN}/submit_tool_outputs"),
    ("POST", f"{RUN}/cancel"),
    ("GET", f"{RUN}/steps"),
    ("GET", f"{RUN}/steps/{{step_id}}"),
    *FILES,
    *VECTOR_STORES,
    ("GET", "/models"),
    ("GET", "/models/{model}"),
    ("POST", "/embeddings"),
}
HOOK = "/webhook_endpoints/{webhook_id}"
WEBHOOKS = {
    ("GET", "/webhook_endpoints"),
    ("POST", "/webhook_endpoints"),
    ("GET", HOOK),
    ("POST", HOOK),
    ("DELETE", HOOK),
    ("POST", f"{HOOK}/rotate_secret"),
    ("POST", f"{HOOK}/test"),
    ("GET", f"{HOOK}/deliveries"),
    ("POST", f"{HOOK}/deliveries/{{delivery_id}}/replay"),
}
LIMITS = "/organization/projects/{project_id}/limits"
ADMINISTRATION = {("GET", LIMITS), ("POST", LIMITS)}
EXTENSIONS = {("GET", "/threads"), ("GET", f"{RUN}/events")} | WEBHOOKS | ADMINISTRATION

every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=lambda each: each.name)


def test_the_annotations_of_the_table_are_its_values() -> None:
    for module in (assistants, embeddings, files, messages, models, projects, runs, threads, vector_stores, webhooks):
        for name, annotation in get_type_hints(module).items():
            endpoint = getattr(module, name)
            assert annotation.__args__ == (endpoint.query, endpoint.body, endpoint.reply), name


def test_the_standard_calls_are_those_of_the_contract() -> None:
    assert {(each.method, each.path) for each in ENDPOINTS.values() if not each.extension} == STANDARD


def test_the_extensions_are_marked() -> None:
    assert {(each.method, each.path) for each in ENDPOINTS.values() if each.extension} == EXTENSIONS


def test_no_path_is_served_twice() -> None:
    places = [(each.method, re.sub(r"\{\w+\}", "{}", each.path)) for each in ENDPOINTS.values()]
    assert len(places) == len(set(places))


def test_only_calls_of_the_assistants_api_need_the_beta_header() -> None:
    models = {("GET", "/models"), ("GET", "/models/{model}"), ("POST", "/embeddings")}
    assert {
        (each.method, each.path) for each in ENDPOINTS.values() if not each.beta
    } == models | FILES | WEBHOOKS | ADMINISTRATION


def test_calls_that_start_or_resume_a_run_can_stream() -> None:
    assert {name: each.streaming for name, each in ENDPOINTS.items() if each.streaming} == {
        "create_run": "create_streaming_run",
        "create_thread_run": "create_streaming_thread_run",
        "submit_tool_output": "submit_streaming_tool_output",
    }
    assert [name for name, each in ENDPOINTS.items() if each.gives == "events"] == ["run_events"]


@every_endpoint
def test_only_calls_that_write_have_a_body(endpoint: AnyEndpoint) -> None:
    assert endpoint.takes == "nothing" or endpoint.method == "POST"


def test_calls_outside_of_a_project_need_the_admin_scope() -> None:
    assert {(each.method, each.path) for each in ENDPOINTS.values() if each.access == "admin"} == ADMINISTRATION
