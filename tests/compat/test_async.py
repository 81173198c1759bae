"""The official async client: polling, tool outputs, lists and concurrent streams."""

import asyncio

from openai import AsyncOpenAI, BadRequestError
from openai.types.beta import Assistant, Thread
from openai.types.beta.threads import TextContentBlock

from runstead.llm.scripted import Call
from tests.compat.script import Script, refused

ROME = Call("weather", '{"city":"Rome"}', id="call_rome")


async def test_a_run_is_created_and_polled_and_its_messages_are_listed(
    async_client: AsyncOpenAI, model: Script, assistant: Assistant, thread: Thread
) -> None:
    model.says("Hello")
    run = await async_client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10
    )
    assert run.status == "completed"
    messages = [message async for message in async_client.beta.threads.messages.list(thread.id, limit=1)]
    assert [message.role for message in messages] == ["assistant", "user"]


async def test_tool_outputs_are_submitted_and_polled(
    async_client: AsyncOpenAI, model: Script, forecaster: Assistant, thread: Thread
) -> None:
    model.calls(ROME)
    run = await async_client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=forecaster.id, poll_interval_ms=10
    )
    assert run.status == "requires_action"
    with refused(BadRequestError, "Expected tool outputs for call_ids ['call_rome'], got []"):
        await async_client.beta.threads.runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=[])
    model.says("Sunny.")
    run = await async_client.beta.threads.runs.submit_tool_outputs_and_poll(
        run_id=run.id,
        thread_id=thread.id,
        tool_outputs=[{"tool_call_id": "call_rome", "output": "sunny"}],
        poll_interval_ms=10,
    )
    assert run.status == "completed"


async def test_concurrent_streams_do_not_mix(async_client: AsyncOpenAI, model: Script, assistant: Assistant) -> None:
    count = 8
    for number in range(count):
        model.says(f"Answer {number}")

    async def one() -> str:
        async with async_client.beta.threads.create_and_run_stream(
            assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Hi"}]}
        ) as stream:
            [message] = await stream.get_final_messages()
            assert isinstance(message.content[0], TextContentBlock)
            return message.content[0].text.value

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(count)]
    assert sorted(task.result() for task in tasks) == sorted(f"Answer {number}" for number in range(count))
