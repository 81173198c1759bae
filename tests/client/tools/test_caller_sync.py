"""Tool calls in threads."""

import threading
from typing import Any

import pytest

from runstead.client.deadline import Deadline
from runstead.client.tools.caller_sync import ToolCaller
from runstead.client.tools.tool import MAX_CALLS_AT_ONCE
from runstead.wire.tool import FunctionCall, RequiredFunctionCall


def call(name: str, id: str = "call_1", arguments: str = "{}") -> RequiredFunctionCall:
    return RequiredFunctionCall(id=id, function=FunctionCall(name=name, arguments=arguments))


def test_a_round_of_many_calls_runs_in_a_bounded_number_of_threads() -> None:
    threads = set()
    full = threading.Barrier(MAX_CALLS_AT_ONCE)

    def busy(number: int) -> int:
        if number < MAX_CALLS_AT_ONCE:
            full.wait(10)  # so many run at once
        threads.add(threading.get_ident())
        return number

    calls = [call("busy", str(number), f'{{"number":{number}}}') for number in range(1000)]
    got = ToolCaller([busy]).call_all(calls, Deadline(60))
    assert len(threads) == MAX_CALLS_AT_ONCE
    assert [each.output for each in got] == [str(number) for number in range(1000)]


def test_a_round_without_calls_has_no_outputs() -> None:
    assert ToolCaller([]).call_all([], Deadline(10)) == []


class Unspeakable(Exception):
    """Its text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError


class Unprintable:
    """A result without a text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def raises() -> None:
    raise Unspeakable


def returns() -> Any:
    return Unprintable()


def halves() -> str:
    return "\ud83d"


def takes(value: dict[str, Any]) -> str:
    return "taken"


DEEP = '{"value":' + '{"a":' * 300 + "1" + "}" * 301


@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        (raises, "{}", '{"error":"Unspeakable"}'),
        (returns, "{}", '{"error":"The result cannot be encoded as JSON: RuntimeError: no text"}'),
        (halves, "{}", "surrogates not allowed"),
        (takes, DEEP, "Invalid arguments: it is nested more than 128 levels deep"),
        (takes, '{"value":' * 5000, "Invalid arguments: it is nested"),
        (takes, "\ud83d", "Invalid arguments: UnicodeEncodeError"),
    ],
    ids=["no text", "no result", "half a character", "deep", "no json", "no text in arguments"],
)
def test_every_failure_of_a_call_is_its_output(function: Any, arguments: str, said: str) -> None:
    [got] = ToolCaller([function]).call_all([call(function.__name__, arguments=arguments)], Deadline(10))
    assert said in got.output
    got.output.encode()


def test_a_log_line_of_a_failed_call_is_short_and_has_no_control_characters(caplog: pytest.LogCaptureFixture) -> None:
    name = "\x1b[2J\nERROR" + "x" * 10_000
    [got] = ToolCaller([takes]).call_all([call(name, "\x1b" * 10_000)], Deadline(10))
    assert "There is no tool" in got.output
    [line] = caplog.messages
    assert len(line) < 1000
    assert "\x1b" not in line
    assert "\n" not in line
