"""Tool calls on an event loop."""

import asyncio
import threading

import pytest

from runstead.client.deadline import Deadline
from runstead.client.tools.caller_async import AsyncToolCaller
from runstead.client.tools.tool import MAX_CALLS_AT_ONCE
from runstead.wire.error import WaitTimeout
from runstead.wire.tool import FunctionCall, RequiredFunctionCall


def call(name: str, id: str = "call_1", arguments: str = "{}") -> RequiredFunctionCall:
    return RequiredFunctionCall(id=id, function=FunctionCall(name=name, arguments=arguments))


async def test_coroutine_functions_and_plain_functions_run_concurrently() -> None:
    met = threading.Event()
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def gentle() -> str:
        await asked.wait()
        met.set()
        return "gentle"

    def plain() -> str:
        loop.call_soon_threadsafe(asked.set)
        assert met.wait(10)
        return "plain"

    caller = AsyncToolCaller([gentle, plain])
    got = await caller.call_all([call("gentle", "1"), call("plain", "2")], Deadline(10))
    assert [(each.tool_call_id, each.output) for each in got] == [("1", "gentle"), ("2", "plain")]


async def test_an_object_with_an_async_call_is_a_tool() -> None:
    class Greeter:
        __name__ = "greet"

        async def __call__(self) -> str:
            return "hello"

    [got] = await AsyncToolCaller([Greeter()]).call_all([call("greet")], Deadline(10))
    assert got.output == "hello"


async def test_a_late_coroutine_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(WaitTimeout):
        await AsyncToolCaller([endless]).call_all([call("endless")], Deadline(0.05))
    assert cancelled.is_set()


async def test_a_timeout_error_inside_a_tool_is_an_error_output() -> None:
    async def hasty() -> None:
        raise TimeoutError("my own")

    [got] = await AsyncToolCaller([hasty]).call_all([call("hasty")], Deadline(10))
    assert got.output == '{"error":"TimeoutError: my own"}'


async def test_a_round_of_many_calls_runs_a_bounded_number_at_a_time() -> None:
    running, most = 0, 0

    async def busy(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return number

    calls = [call("busy", str(number), f'{{"number":{number}}}') for number in range(1000)]
    got = await AsyncToolCaller([busy]).call_all(calls, Deadline(60))
    assert most == MAX_CALLS_AT_ONCE
    assert [each.output for each in got] == [str(number) for number in range(1000)]


async def test_a_cancelled_error_of_a_tool_s_own_is_an_error_output() -> None:
    async def gives_up() -> None:
        raise asyncio.CancelledError  # as from a task that it awaits

    [got] = await AsyncToolCaller([gives_up]).call_all([call("gives_up")], Deadline(10))
    assert got.output == '{"error":"CancelledError: "}'


async def test_a_round_without_calls_has_no_outputs() -> None:
    assert await AsyncToolCaller([]).call_all([], Deadline(10)) == []
