"""The options of a run reach the model."""

from collections.abc import Sequence
from typing import Any

import pytest

from runstead.domain.model_call import ModelRequest
from runstead.llm.scripted import ScriptedModel, call
from runstead.wire.assistant import AssistantUpdate
from runstead.wire.content import ImageUrl, ImageUrlPart, TextInput
from runstead.wire.error import BadRequest, NotFound
from runstead.wire.message import MessageRequest
from runstead.wire.model import Model
from runstead.wire.options import JsonSchema, JsonSchemaFormat, ObjectFormat, TruncationStrategy
from runstead.wire.run import RunRequest, ThreadRunRequest
from runstead.wire.thread import ThreadRequest
from runstead.wire.tool import Function, FunctionName, FunctionTool, NamedToolChoice
from tests.support.worlds import WEATHER, World, text_of, world

TIME = FunctionTool(function=Function(name="time", parameters={"type": "object"}, strict=True))
SCHEMA = JsonSchemaFormat(json_schema=JsonSchema(name="answer", schema={"type": "object"}, strict=True))
FORCED = NamedToolChoice(type="function", function=FunctionName(name="weather"))


async def asked(here: World, **fields: Any) -> ModelRequest:
    """The model request of a run with these options."""
    run = await here.start(**fields)
    await here.ended(run)
    return here.model.requests[-1]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("model", "another-model"),
        ("temperature", 0.25),
        ("temperature", 0.0),
        ("temperature", 1.0),
        ("top_p", 0.5),
        ("reasoning_effort", "high"),
        ("response_format", ObjectFormat()),
        ("response_format", SCHEMA),
        ("parallel_tool_calls", False),
        ("parallel_tool_calls", True),
        ("max_completion_tokens", 300),
    ],
)
async def test_an_option_of_a_run_reaches_the_model(option: str, value: Any) -> None:
    async with world(["Hello"]) as here:
        assert getattr(await asked(here, **{option: value}), option) == value


OPTIONS = ("temperature", "top_p", "parallel_tool_calls")


def sent(here: World) -> tuple[Any, ...]:
    """The options of the newest model request; None is not sent."""
    return tuple(getattr(here.model.requests[-1], name) for name in OPTIONS)


def shown(item: Any) -> tuple[Any, ...]:
    return tuple(getattr(item, name, True) for name in OPTIONS)


async def test_a_run_shows_defaults_that_the_model_is_not_sent() -> None:
    async with world(["Hello"]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        assert shown(run) == shown(await here.project.get_assistant(run.assistant_id)) == (1.0, 1.0, True)
        assert sent(here) == (None, None, None)


@pytest.mark.parametrize(
    ("of_assistant", "of_run", "seen", "told"),
    [
        ({"temperature": 1.0}, {}, (1.0, 1.0, True), (1.0, None, None)),
        ({}, {"temperature": 1.0, "top_p": 1.0}, (1.0, 1.0, True), (1.0, 1.0, None)),
        ({"temperature": 0.2}, {"temperature": 1.0}, (1.0, 1.0, True), (1.0, None, None)),
        ({"temperature": 0.2}, {"temperature": None}, (0.2, 1.0, True), (0.2, None, None)),
        ({"temperature": None}, {"temperature": None, "top_p": None}, (1.0, 1.0, True), (None, None, None)),
        ({"temperature": None}, {"temperature": 0.0}, (0.0, 1.0, True), (0.0, None, None)),
        ({"top_p": 1.0}, {"parallel_tool_calls": True}, (1.0, 1.0, True), (None, 1.0, True)),
    ],
)
async def test_options_of_the_assistant_or_the_run_are_sent(
    of_assistant: dict[str, Any], of_run: dict[str, Any], seen: Any, told: Any
) -> None:
    async with world(["Hello"]) as here:
        assistant_id = await here.assistant([WEATHER], **of_assistant)
        request = RunRequest(assistant_id=assistant_id, **of_run)
        run = await here.ended(await here.project.create_run(await here.thread("Hi"), request))
        assert (shown(run), sent(here)) == (seen, told)


async def test_a_run_with_its_thread_sends_the_chosen_options() -> None:
    async with world(["Hello"]) as here:
        thread = ThreadRequest(messages=[MessageRequest(role="user", content="Hi")])
        request = ThreadRunRequest(assistant_id=await here.assistant(temperature=1.0), thread=thread, top_p=1.0)
        await here.ended(await here.project.create_thread_run(request))
        assert sent(here) == (1.0, 1.0, None)


@pytest.mark.parametrize(
    ("update", "told"),
    [
        ({"temperature": None}, (None, 0.5, None)),
        ({"temperature": 1.0, "top_p": None}, (1.0, None, None)),
        ({"name": "Ada"}, (1.0, 0.5, None)),
    ],
)
async def test_an_update_of_the_assistant_changes_its_chosen_options(update: dict[str, Any], told: Any) -> None:
    async with world(["Hello"]) as here:
        assistant_id = await here.assistant(temperature=1.0, top_p=0.5)
        await here.project.update_assistant(assistant_id, AssistantUpdate(**update))
        run = await here.project.create_run(await here.thread("Hi"), RunRequest(assistant_id=assistant_id))
        await here.ended(run)
        assert sent(here) == told


async def test_every_call_of_a_run_sends_the_chosen_options() -> None:
    async with world([call("weather"), "Done."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER], temperature=1.0))
        await here.project.update_run(run.thread_id, run.id, {"a": "b"})
        await here.ended(await here.submit(run))
        assert [request.temperature for request in here.model.requests] == [1.0, 1.0]


@pytest.mark.parametrize("choice", ["required", FORCED])
async def test_a_forced_choice_reaches_the_model(choice: Any) -> None:
    async with world([call("weather")]) as here:
        assert (await asked(here, tools=[WEATHER], tool_choice=choice)).tool_choice == choice


async def test_tools_reach_the_model_unless_the_choice_is_none() -> None:
    async with world(["Hello"] * 2) as here:
        assert (await asked(here, tools=[WEATHER, TIME])).functions == [WEATHER.function, TIME.function]
        assert (await asked(here, tools=[WEATHER], tool_choice="none")).functions == []


async def test_absent_options_are_those_of_the_assistant_at_creation() -> None:
    async with world(["Hello"] * 2) as here:
        assistant_id = await here.assistant([WEATHER], instructions="Help.", temperature=0.5)
        thread_id = await here.thread("Hi")
        run = await here.project.create_run(thread_id, RunRequest(assistant_id=assistant_id))
        update = AssistantUpdate(instructions="Stop.", tools=[], model="another-model", temperature=0.75)
        await here.project.update_assistant(assistant_id, update)
        ended = await here.ended(run)
        assert (ended.model, ended.instructions, ended.tools, ended.temperature) == (
            "some-model",
            "Help.",
            [WEATHER],
            0.5,
        )
        first = here.model.requests[0]
        assert first.messages[0] == {"role": "system", "content": "Help."}
        assert (first.model, first.functions, first.temperature) == ("some-model", [WEATHER.function], 0.5)
        again = await here.ended(await here.again(run))
        assert (again.model, again.instructions) == ("another-model", "Stop.")


async def test_a_run_continues_after_its_assistant_is_deleted() -> None:
    async with world([call("weather"), "Done."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.project.delete_assistant(run.assistant_id)
        await here.submit(run)
        assert (await here.ended(run)).status == "completed"


async def test_instructions_are_replaced_or_appended() -> None:
    async with world(["Hello"] * 2) as here:
        request = await asked(here, instructions="Stop.", additional_instructions="Be brief.")
        assert request.messages[0] == {"role": "system", "content": "Stop.\n\nBe brief."}


async def test_additional_messages_are_added_before_the_run() -> None:
    async with world(["Hello"]) as here:
        more = [MessageRequest(role="assistant", content="One?"), MessageRequest(role="user", content="Two!")]
        run = await here.start("Hi", additional_messages=more)
        await here.ended(run)
        said = [(each["role"], each["content"]) for each in here.model.requests[0].messages]
        assert said == [("user", "Hi"), ("assistant", "One?"), ("user", "Two!")]
        assert [text_of(message) for message in await here.messages(run)] == ["Hi", "One?", "Two!", "Hello"]


async def test_the_model_gets_the_thread_in_order_with_earlier_answers() -> None:
    async with world(["First.", "Second."]) as here:
        run = await here.ended(await here.start("One", "Two"))
        await here.project.create_message(run.thread_id, MessageRequest(role="user", content="Three"))
        await here.ended(await here.again(run))
        said = [each["content"] for each in here.model.requests[1].messages]
        assert said == ["One", "Two", "First.", "Three"]


async def test_last_messages_limits_the_prompt_to_the_newest() -> None:
    async with world(["Hello"]) as here:
        newest = TruncationStrategy(type="last_messages", last_messages=2)
        run = await here.start("One", "Two", "Three", truncation_strategy=newest, instructions="Help.")
        await here.ended(run)
        assert [each["content"] for each in here.model.requests[0].messages] == ["Help.", "Two", "Three"]


async def test_a_long_thread_is_truncated_to_its_newest_messages() -> None:
    async with world(["Hello"]) as here:
        run = await here.start(*(f"{n} " + "x" * 300 for n in range(200)), max_prompt_tokens=1000)
        ended = await here.ended(run)
        told = [each["content"].split()[0] for each in here.model.requests[0].messages]
        assert told == [str(n) for n in range(200 - len(told), 200)]
        assert 5 <= len(told) <= 10
        assert ended.status == "completed"


async def test_images_reach_the_model() -> None:
    async with world(["A cat."]) as here:
        picture = ImageUrlPart(image_url=ImageUrl(url="https://a.example/cat.png", detail="low"))
        thread = ThreadRequest(messages=[MessageRequest(role="user", content=[TextInput(text="What is it?"), picture])])
        request = ThreadRunRequest(assistant_id=await here.assistant(), thread=thread)
        run = await here.project.create_thread_run(request)
        assert (await here.ended(run)).status == "completed"
        assert here.model.requests[0].messages[0]["content"] == [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": "https://a.example/cat.png", "detail": "low"}},
        ]


class Picky(ScriptedModel):
    """A model server with one model."""

    def supports(self, model: str) -> bool:
        return model == "some-model"


async def test_a_run_with_an_unknown_model_is_refused_before_anything_is_stored() -> None:
    async with world(model=Picky(["Hello"])) as here:
        assistant_id, thread_id = await here.assistant(), await here.thread("Hi")
        more = [MessageRequest(role="user", content="And?")]
        on_a_thread = RunRequest(assistant_id=assistant_id, model="gpt-x", additional_messages=more)
        with_a_thread = ThreadRunRequest(assistant_id=assistant_id, model="gpt-x", instructions="Help.")
        for made in (here.project.create_run(thread_id, on_a_thread), here.project.create_thread_run(with_a_thread)):
            with pytest.raises(BadRequest) as refused:
                await made
            assert refused.value.message == "The requested model 'gpt-x' cannot be used with the Assistants API."
            assert (refused.value.param, refused.value.code) == ("model", "unsupported_model")
        assert len((await here.project.threads()).data) == 1
        assert len((await here.project.messages(thread_id)).data) == 1
        run = await here.project.create_run(thread_id, RunRequest(assistant_id=assistant_id))
        assert (await here.ended(run)).status == "completed"


class Listless(Picky):
    """A model server without a list of models."""

    async def models(self) -> Sequence[Model]:
        return []


async def no_model(here: World, name: str) -> None:
    with pytest.raises(NotFound) as refused:
        await here.project.get_model(name)
    assert refused.value.message == f"The model '{name}' does not exist"
    assert (refused.value.param, refused.value.code) == ("model", "model_not_found")


async def test_a_model_that_is_not_listed_is_not_found() -> None:
    async with world() as here:
        assert [model.id for model in (await here.project.models()).data] == ["scripted"]
        assert (await here.project.get_model("scripted")).id == "scripted"
        await no_model(here, "gpt-x")


async def test_any_accepted_name_is_found_if_the_server_has_no_list() -> None:
    async with world(model=Listless([])) as here:
        assert (await here.project.get_model("some-model")).id == "some-model"
        await no_model(here, "gpt-x")
