"""Many runs at once with asyncio, each streamed on a thread of its own.

Needs a server: `runstead serve`.
"""

import asyncio

import runstead
from runstead import AssistantRequest, MessageRequest, ThreadRequest, ThreadRunRequest
from runstead.client import AsyncClient


async def ask(client: AsyncClient, assistant_id: str, question: str) -> str:
    """The answer to a question."""
    thread = ThreadRequest(messages=[MessageRequest(role="user", content=question)])
    async with client.create_streaming_thread_run(ThreadRunRequest(assistant_id=assistant_id, thread=thread)) as stream:
        return "".join([text async for text in stream.text_deltas()])


async def main() -> None:
    """Ask eight questions concurrently, and print the answers."""
    async with runstead.connect_async() as client:
        models = await client.models()
        assistant = await client.create_assistant(AssistantRequest(model=models.data[0].id))
        questions = [f"What is {number} times {number}?" for number in range(1, 9)]
        answers = await asyncio.gather(*(ask(client, assistant.id, question) for question in questions))
        for question, answer in zip(questions, answers, strict=True):
            print(f"{question} {answer}")


asyncio.run(main())
