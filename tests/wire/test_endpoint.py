"""The table against the contract's section 2, and against the interfaces."""

import inspect
import re
from typing import Any, get_type_hints

import pytest

from runstead.interface import Interface
from runstead.wire.endpoint import ENDPOINTS, Endpoint
from runstead.wire.struct import UNSET

RUN = "/threads/{thread_id}/runs/{run_id}"
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
    ("GET", "/models"),
    ("GET", "/models/{model}"),
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
EXTENSIONS = {("GET", "/threads"), ("GET", f"{RUN}/events")} | WEBHOOKS

every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=lambda each: each.name)


def arguments(endpoint: Endpoint[Any]) -> set[str]:
    """The names under which a request's parts reach the interface."""
    names = set(re.findall(r"\{(\w+)\}", endpoint.path))
    names |= set(endpoint.query.__struct_fields__) if endpoint.query else set()
    if endpoint.body is not None:
        names |= set(endpoint.body.__struct_fields__) - {"stream"} if endpoint.spread else {"request"}
    return names


def test_the_standard_calls_are_those_of_the_contract() -> None:
    assert {(each.method, each.path) for each in ENDPOINTS.values() if not each.extension} == STANDARD


def test_the_extensions_are_marked() -> None:
    assert {(each.method, each.path) for each in ENDPOINTS.values() if each.extension} == EXTENSIONS


def test_no_path_is_served_twice() -> None:
    places = [(each.method, re.sub(r"\{\w+\}", "{}", each.path)) for each in ENDPOINTS.values()]
    assert len(places) == len(set(places))


def test_only_models_and_webhooks_need_no_beta_header() -> None:
    models = {("GET", "/models"), ("GET", "/models/{model}")}
    assert {(each.method, each.path) for each in ENDPOINTS.values() if not each.beta} == models | WEBHOOKS


def test_calls_that_start_or_resume_a_run_can_stream() -> None:
    assert {name: each.streaming for name, each in ENDPOINTS.items() if each.streaming} == {
        "create_run": "create_streaming_run",
        "create_thread_run": "create_streaming_thread_run",
        "submit_tool_output": "submit_streaming_tool_output",
        "run_events": "run_events",
    }


@every_endpoint
def test_an_endpoint_is_a_method_of_the_interface_with_its_arguments(endpoint: Endpoint[Any]) -> None:
    for name in {endpoint.name, endpoint.streaming or endpoint.name}:
        parameters = inspect.signature(getattr(Interface, name)).parameters
        assert set(parameters) - {"self"} == arguments(endpoint)


@every_endpoint
def test_an_endpoint_replies_what_its_method_returns(endpoint: Endpoint[Any]) -> None:
    returned = get_type_hints(getattr(Interface, endpoint.name))["return"]
    reply: Any = endpoint.reply
    if hasattr(reply, "__args__"):  # Page[X] on the wire is PageOf[X] in the interface
        assert returned.__args__ == reply.__args__
    elif endpoint.name == "run_events":
        assert returned.__args__ == (reply,)
    else:
        assert returned is reply


@every_endpoint
def test_only_calls_that_write_have_a_body(endpoint: Endpoint[Any]) -> None:
    assert endpoint.body is None or endpoint.method == "POST"


@every_endpoint
def test_every_interface_method_has_an_endpoint(endpoint: Endpoint[Any]) -> None:
    methods = {name for name, _ in inspect.getmembers(Interface, inspect.isfunction) if not name.startswith("_")}
    reached = set(ENDPOINTS) | {each.streaming for each in ENDPOINTS.values() if each.streaming}
    assert methods == reached


@every_endpoint
def test_a_query_has_the_defaults_of_its_method(endpoint: Endpoint[Any]) -> None:
    if endpoint.query is None:
        return
    parameters = inspect.signature(getattr(Interface, endpoint.name)).parameters
    query = endpoint.query()
    for name in endpoint.query.__struct_fields__:
        default = parameters[name].default
        assert getattr(query, name) == ([] if default == () else default)
        assert default is not UNSET
