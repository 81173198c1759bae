"""The operations against the table of endpoints and against the interfaces."""

import inspect
import re
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest
from msgspec.structs import asdict, fields, replace

from runstead.interface import Administration, Interface
from runstead.interface.operation import Operation
from runstead.interface.operations import OPERATIONS
from runstead.wire.endpoints import ENDPOINTS
from runstead.wire.endpoints.endpoint import AnyEndpoint
from runstead.wire.page import ListQuery
from runstead.wire.struct import Request, SortOrder

every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda each: each.endpoint.name)


def methods(interface: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(interface, inspect.isfunction) if not name.startswith("_")}


def interface_of(endpoint: AnyEndpoint) -> type:
    return Interface if endpoint.access == "project" else Administration


def path_of(endpoint: AnyEndpoint) -> dict[str, str]:
    """A value for each of the path's parameters, unlike all others."""
    return {name: f"the {name}" for name in re.findall(r"\{(\w+)\}", endpoint.path)}


def query_of(endpoint: AnyEndpoint) -> Request:
    """A query whose values are unlike each other."""
    query: Request = endpoint.query()
    if isinstance(query, ListQuery):
        query = replace(query, limit=7, order=SortOrder.ASC, after="the after", before="the before")
    if hasattr(query, "run_id"):
        query = replace(query, run_id="the run_id")
    if hasattr(query, "purpose"):
        query = replace(query, purpose="the purpose")
    return query


def body_of(endpoint: AnyEndpoint) -> Request:
    """A body; fields that are required are set to their own names, whatever their type."""
    values = {field.name: f"the {field.name}" for field in fields(endpoint.body) if field.required}
    body: Request = endpoint.body(**values)
    return body


_WHOLE = {"request", "upload"}
"""Parameters that are a whole body."""


class Recorder:
    """Notes which method is called with which arguments, by their names in the interface."""

    def __init__(self, interface: type) -> None:
        self._interface = interface
        self.called: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*values: Any) -> object:
            bound = inspect.signature(getattr(self._interface, name)).bind(self, *values)
            self.called.append((name, {key: each for key, each in bound.arguments.items() if key != "self"}))
            return None

        return call


def expected(endpoint: AnyEndpoint, method: Callable[..., object]) -> dict[str, Any]:
    """The arguments of the method: every field of the request that is a parameter of it, by its name."""
    query, body = query_of(endpoint), body_of(endpoint)
    sent = path_of(endpoint) | asdict(query) | asdict(body)
    names = [name for name in inspect.signature(method).parameters if name != "self"]
    return {name: body if name in _WHOLE else sent[name] for name in names}


def test_every_endpoint_has_an_operation() -> None:
    assert {name: each.endpoint for name, each in OPERATIONS.items()} == ENDPOINTS


def test_every_method_of_the_interfaces_has_an_endpoint() -> None:
    reached = set(ENDPOINTS) | {each.streaming for each in ENDPOINTS.values() if each.streaming}
    assert methods(Interface) | methods(Administration) == reached


@every_operation
def test_an_operation_is_that_of_the_method_with_the_endpoints_name(operation: Operation) -> None:
    method: Any = operation.method
    assert method is getattr(interface_of(operation.endpoint), operation.endpoint.name)


@every_operation
def test_an_operation_passes_the_fields_of_the_request_to_its_method(operation: Operation) -> None:
    endpoint = operation.endpoint
    if operation.call is None:
        assert endpoint.gives == "events"
        return
    recorder = Recorder(interface_of(endpoint))
    operation.call(recorder, path_of(endpoint), query_of(endpoint), body_of(endpoint))
    assert recorder.called == [(endpoint.name, expected(endpoint, operation.method))]


@every_operation
def test_nothing_of_a_request_is_lost(operation: Operation) -> None:
    endpoint = operation.endpoint
    names = {name for name in inspect.signature(operation.method).parameters if name != "self"}
    body = names & _WHOLE or set(endpoint.body.__struct_fields__) - {"stream"}
    assert names == set(path_of(endpoint)) | set(endpoint.query.__struct_fields__) | body


@every_operation
def test_a_streaming_call_holds_the_arguments_of_its_method(operation: Operation) -> None:
    endpoint = operation.endpoint
    assert (operation.stream is not None) is (endpoint.gives == "events" or endpoint.streaming is not None)
    if operation.stream is None:
        return
    method = getattr(interface_of(endpoint), endpoint.streaming or endpoint.name)
    arguments = expected(endpoint, method)
    call = operation.stream(path_of(endpoint), query_of(endpoint), body_of(endpoint))
    assert asdict(call) == arguments


@every_operation
def test_a_streaming_method_has_the_parameters_of_the_plain_one(operation: Operation) -> None:
    if operation.endpoint.streaming:
        streaming = getattr(interface_of(operation.endpoint), operation.endpoint.streaming)
        parameters = inspect.signature(operation.method).parameters
        assert inspect.signature(streaming).parameters == parameters


@every_operation
def test_an_operation_replies_with_the_result_of_its_method(operation: Operation) -> None:
    returned, reply = get_type_hints(operation.method)["return"], operation.endpoint.reply
    if hasattr(reply, "__args__"):  # Page[X] on the wire is PageOf[X] in the interface
        assert returned.__args__ == reply.__args__
    elif operation.endpoint.gives == "events":
        assert returned.__args__ == (reply,)
    else:
        assert returned is reply


@every_operation
def test_a_query_has_the_defaults_of_its_method(operation: Operation) -> None:
    parameters = inspect.signature(operation.method).parameters
    for name, value in asdict(operation.endpoint.query()).items():
        default = parameters[name].default
        assert value == ([] if default == () else default)
