"""Calls with an idempotency key, without a server."""

from pathlib import Path

import pytest

import runstead
from runstead import AssistantRequest, BadRequest, RunRequest
from runstead.llm.scripted import ScriptedModel
from tests.embedded.conftest import Opener


def test_a_repeated_call_returns_the_first_reply(open_engine: Opener) -> None:
    client = open_engine([])
    first, second = [client.once("order 17").create_thread() for _ in range(2)]
    assert first == second
    assert [thread.id for thread in client.threads()] == [first.id]
    assert client.once("order 18").create_thread() != first


def test_another_call_with_the_same_key_is_refused(open_engine: Opener) -> None:
    client = open_engine([])
    client.once("order 17").create_thread()
    with pytest.raises(BadRequest, match="use a new key"):
        client.once("order 17").create_assistant(AssistantRequest(model="m"))
    with pytest.raises(BadRequest, match="printable"):
        client.once("").create_thread()


def test_a_repeated_stream_replays_its_stored_events(open_engine: Opener) -> None:
    client = open_engine(["Hello!"])
    thread, assistant = client.create_thread(), client.create_assistant(AssistantRequest(model="m"))
    request = RunRequest(assistant_id=assistant.id, instructions="Greet.")
    told = []
    for _ in range(2):
        with client.once("order 17").create_streaming_run(thread.id, request) as stream:
            told.append([event for event in stream if "delta" not in event.event])
    assert told[0] == told[1]
    assert len(list(client.runs(thread.id))) == 1


def test_a_key_survives_the_program(database: Path) -> None:
    made = []
    for _ in range(2):
        with runstead.open(database, model=ScriptedModel([])) as client:
            made.append(client.once("order 17").create_thread())
    assert made[0] == made[1]


async def test_the_async_client_returns_the_same(database: Path) -> None:
    async with runstead.open_async(database, model=ScriptedModel(["Hello!"])) as client:
        first, second = [await client.once("order 17").create_thread() for _ in range(2)]
        assert first == second
        assistant = await client.create_assistant(AssistantRequest(model="m"))
        request = RunRequest(assistant_id=assistant.id, instructions="Greet.")
        runs = [await client.once("k").create_streaming_run(first.id, request).final_run() for _ in range(2)]
        assert runs[0] == runs[1]
