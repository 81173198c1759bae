from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from runstead.domain.chat import prompt
from runstead.domain.chat.offer import offers
from runstead.domain.chosen_defaults import NONE_CHOSEN, ChosenDefaults
from runstead.domain.model_call import ModelRequest
from runstead.domain.run.journal import StepRow
from runstead.wire.content import ImageFile, ImageFilePart, ImageUrl, ImageUrlPart, RefusalPart, Text, TextPart
from runstead.wire.message import Message
from runstead.wire.options import ObjectFormat
from runstead.wire.run import Run, Usage
from runstead.wire.tool import (
    CodeInterpreterTool,
    FileSearchTool,
    Function,
    FunctionName,
    FunctionTool,
    NamedToolChoice,
    Tool,
    ToolChoice,
)
from tests.domain.things import WEATHER, call, calls_step, message, run, text_step


def build(
    of: Run,
    *history: Message,
    steps: tuple[StepRow, ...] = (),
    written: tuple[Message, ...] = (),
    defaults: ChosenDefaults = NONE_CHOSEN,
) -> ModelRequest:
    by_id = {each.id: each for each in written}
    return prompt.build(of, history, steps, by_id, offers(of.tools, {}), defaults)


SEARCH = [Function(name="search"), Function(name="read")]


def offered(*tools: Tool, functions: Sequence[Function] = SEARCH, **fields: Any) -> ModelRequest:
    """The request of a run with these tools, on a server that has `file_search`."""
    of = run(tools=list(tools), **fields)
    return prompt.build(of, [], [], {}, offers(of.tools, {"file_search": functions}), NONE_CHOSEN)


def own(*steps: StepRow, written: tuple[Message, ...] = ()) -> list[dict[str, Any]]:
    """The prompt with a run's steps."""
    return list(build(run(), steps=steps, written=written).messages)


def text(value: str) -> TextPart:
    return TextPart(text=Text(value=value))


def spoken(value: str, id: str) -> Message:
    return message(value, id=id, role="assistant", run_id="run_1")


def picture(detail: Any = "auto") -> ImageUrlPart:
    return ImageUrlPart(image_url=ImageUrl(url="https://a.example/b.png", detail=detail))


def asked(id: str, arguments: str = '{"city":"Rome"}') -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}}


class TestHistory:
    def test_instructions_are_the_system_message(self) -> None:
        messages = build(run(instructions="Be brief."), message("Hello")).messages
        assert messages == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_without_instructions_there_is_no_system_message(self, nothing: str | None) -> None:
        messages = build(run(instructions=nothing), message("Hello")).messages
        assert messages == [{"role": "user", "content": "Hello"}]

    def test_the_prompt_has_the_thread_in_its_order(self) -> None:
        messages = build(run(), message("One"), message("Two", role="assistant"), message("Three")).messages
        assert [(each["role"], each["content"]) for each in messages] == [
            ("user", "One"),
            ("assistant", "Two"),
            ("user", "Three"),
        ]

    def test_text_parts_are_joined_by_lines(self) -> None:
        assert prompt.as_chat_message(message([text("One"), text("Two")])) == {"role": "user", "content": "One\nTwo"}

    def test_a_refusal_is_text_in_the_prompt(self) -> None:
        refused = message([RefusalPart(refusal="I will not.")], role="assistant")
        assert prompt.as_chat_message(refused) == {"role": "assistant", "content": "I will not."}

    def test_an_image_by_address_reaches_the_model(self) -> None:
        assert prompt.as_chat_message(message([text("What is it?"), picture("low")])) == {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}},
            ],
        }

    def test_an_image_that_cannot_be_had_is_said_to_be_missing(self) -> None:
        uploaded = ImageFilePart(image_file=ImageFile(file_id="file-7"))
        assert prompt.as_chat_message(message([text("Look"), uploaded]), {}) == {
            "role": "user",
            "content": "Look\n[image file-7 is not available]",
        }

    def test_an_uploaded_image_goes_along_with_its_detail(self) -> None:
        uploaded = ImageFilePart(image_file=ImageFile(file_id="file-7", detail="low"))
        shown = prompt.as_chat_message(message([uploaded]), {"file-7": Raw(b'"data:image/png;base64,AA=="')})
        assert shown is not None
        url = {"url": "data:image/png;base64,AA==", "detail": "low"}
        sent = msgspec.json.decode(msgspec.json.encode(shown["content"]))
        assert sent == [{"type": "image_url", "image_url": url}]

    def test_images_of_the_assistant_are_left_out(self) -> None:
        assert prompt.as_chat_message(message([text("See"), picture()], role="assistant")) == {
            "role": "assistant",
            "content": "See",
        }

    @pytest.mark.parametrize("content", [[], [text("")], [picture()]])
    def test_an_assistant_message_with_nothing_to_tell_is_left_out(self, content: list[Any]) -> None:
        assert prompt.as_chat_message(message(content, role="assistant")) is None
        assert build(run(), message(content, role="assistant")).messages == []

    def test_an_empty_message_of_the_user_is_in_the_prompt(self) -> None:
        assert prompt.as_chat_message(message("")) == {"role": "user", "content": ""}


class TestOwnSteps:
    def test_calls_are_followed_by_their_outputs(self) -> None:
        assert own(calls_step(call("call_a", "sunny"), call("call_b", "rainy"))) == [
            {"role": "assistant", "content": None, "tool_calls": [asked("call_a"), asked("call_b")]},
            {"role": "tool", "tool_call_id": "call_a", "content": "sunny"},
            {"role": "tool", "tool_call_id": "call_b", "content": "rainy"},
        ]

    def test_steps_of_the_run_follow_the_thread(self) -> None:
        messages = build(run(), message("Hello"), steps=(calls_step(call("call_a", "sunny")),)).messages
        assert [each["role"] for each in messages] == ["user", "assistant", "tool"]

    def test_text_and_calls_of_one_turn_are_one_message(self) -> None:
        written = (spoken("Let me see.", "msg_2"),)
        messages = own(text_step("msg_2"), calls_step(call("call_a", "sunny")), written=written)
        assert messages[0] == {"role": "assistant", "content": "Let me see.", "tool_calls": [asked("call_a")]}
        assert [each["role"] for each in messages] == ["assistant", "tool"]

    def test_every_turn_has_its_own_text(self) -> None:
        turns = text_step("msg_2"), calls_step(call("a", "1")), text_step("msg_3"), calls_step(call("b", "2"))
        messages = own(*turns, written=(spoken("First.", "msg_2"), spoken("Second.", "msg_3")))
        assert [each.get("content") for each in messages] == ["First.", "1", "Second.", "2"]

    def test_text_whose_turn_broke_off_joins_the_next_turn(self) -> None:
        broken = text_step("msg_2"), calls_step(status="failed")
        again = text_step("msg_3"), calls_step(call("call_a", "sunny"))
        messages = own(*broken, *again, written=(spoken("Let me", "msg_2"), spoken("I look.", "msg_3")))
        assert messages[0]["content"] == "Let me\nI look."
        assert [each["role"] for each in messages] == ["assistant", "tool"]

    def test_text_behind_calls_is_in_their_message(self) -> None:
        calls = replace(calls_step(call("call_a", "sunny")), followed_by="msg_3")
        steps = text_step("msg_2"), calls, text_step("msg_3"), text_step("msg_4")
        written = [spoken(text, f"msg_{number}") for number, text in enumerate(("Hm.", "I look.", "So."), 2)]
        messages = own(*steps, written=tuple(written))
        assert messages == [
            {"role": "assistant", "content": "Hm.\nI look.", "tool_calls": [asked("call_a")]},
            {"role": "tool", "tool_call_id": "call_a", "content": "sunny"},
            {"role": "assistant", "content": "So."},
        ]

    def test_text_behind_calls_without_outputs_is_a_message_alone(self) -> None:
        calls = replace(calls_step(call("call_a", None), status="failed"), followed_by="msg_2")
        messages = own(calls, text_step("msg_2"), written=(spoken("I look.", "msg_2"),))
        assert messages == [{"role": "assistant", "content": "I look."}]

    def test_a_last_text_stands_alone(self) -> None:
        messages = own(calls_step(call("a", "1")), text_step("msg_2"), written=(spoken("So.", "msg_2"),))
        assert messages[-1] == {"role": "assistant", "content": "So."}

    @pytest.mark.parametrize("status", ["failed", "cancelled", "expired", "in_progress"])
    def test_a_step_that_was_not_completed_is_as_if_it_had_never_been(self, status: Any) -> None:
        steps = text_step("msg_2", status=status), calls_step(call("call_a", "sunny"), status=status)
        assert own(*steps, written=(spoken("Half", "msg_2"),)) == []

    def test_calls_without_an_output_are_left_out(self) -> None:
        assert own(calls_step(call("call_a", "sunny"), call("call_b", None))) == []

    def test_an_empty_output_is_an_output(self) -> None:
        assert own(calls_step(call("call_a", "")))[1] == {"role": "tool", "tool_call_id": "call_a", "content": ""}

    def test_a_message_deleted_meanwhile_is_left_out(self) -> None:
        assert own(text_step("msg_2")) == []

    def test_a_call_without_arguments_has_an_empty_object(self) -> None:
        assert own(calls_step(call("call_a", "sunny", arguments="")))[0]["tool_calls"] == [asked("call_a", "{}")]

    def test_building_twice_gives_the_same_prompt(self) -> None:
        written = {"msg_2": spoken("Let me see.", "msg_2")}
        steps = [text_step("msg_2"), calls_step(call("call_a", "sunny"))]
        first, second = (prompt.build(run(), [], steps, written, [], NONE_CHOSEN) for _ in range(2))
        assert first == second


class TestTools:
    def test_functions_are_offered_and_other_tools_are_not(self) -> None:
        tools = [FileSearchTool(), FunctionTool(function=WEATHER)]
        assert build(run(tools=tools)).functions == [WEATHER]

    def test_no_tools_are_sent_when_none_may_be_used(self) -> None:
        request = build(run(tool_choice="none"))
        assert (request.functions, request.tool_choice) == ([], "auto")

    @pytest.mark.parametrize("choice", ["auto", None])
    def test_the_choice_is_the_models_by_default(self, choice: Any) -> None:
        assert build(run(tool_choice=choice)).tool_choice == "auto"

    @pytest.mark.parametrize(
        "choice", ["required", NamedToolChoice(type="function", function=FunctionName(name="weather"))]
    )
    def test_a_forced_choice_holds_until_calls_are_answered(self, choice: ToolChoice) -> None:
        forced = run(tool_choice=choice)
        crashed = calls_step(call("call_0", None), status="failed")
        assert build(forced).tool_choice == choice
        assert build(forced, steps=(crashed,)).tool_choice == choice
        assert build(forced, steps=(crashed, calls_step(call("call_a", "sunny")))).tool_choice == "auto"

    def test_a_tool_of_the_server_is_offered_as_its_functions(self) -> None:
        assert offered(FileSearchTool(), FunctionTool(function=WEATHER)).functions == [*SEARCH, WEATHER]
        assert offered(FileSearchTool(), FileSearchTool()).functions == SEARCH, "named twice, it is still one tool"
        assert offered(CodeInterpreterTool()).functions == []

    def test_a_tool_of_the_server_is_forced_by_its_only_function(self) -> None:
        choice = NamedToolChoice(type="file_search")
        one = offered(FileSearchTool(), FunctionTool(function=WEATHER), functions=SEARCH[:1], tool_choice=choice)
        assert one.tool_choice == NamedToolChoice(type="function", function=FunctionName(name="search"))
        assert one.functions == [SEARCH[0], WEATHER]

    def test_a_tool_of_several_functions_is_forced_by_leaving_them_alone(self) -> None:
        choice = NamedToolChoice(type="file_search")
        several = offered(FileSearchTool(), FunctionTool(function=WEATHER), tool_choice=choice)
        assert (several.tool_choice, several.functions) == ("required", SEARCH)

    def test_a_tool_that_is_not_offered_is_not_forced(self) -> None:
        assert build(run(tool_choice="required", tools=[])).tool_choice == "auto"
        assert build(run(tool_choice=NamedToolChoice(type="file_search"))).tool_choice == "auto"


class TestCarried:
    def test_state_comes_back_with_the_message_of_its_turn(self) -> None:
        written = {"msg_2": spoken("Let me see.", "msg_2")}
        steps = [text_step("msg_2"), replace(calls_step(call("call_a", "sunny")), carried={"a": 1})]
        steps += [replace(calls_step(call("call_b", "rainy")), carried=[2])]
        request = prompt.build(run(instructions="Be brief."), [message("Hello")], steps, written, [], NONE_CHOSEN)
        assert request.carried == {2: {"a": 1}, 4: [2]}
        assert [request.messages[place]["role"] for place in request.carried] == ["assistant", "assistant"]

    @pytest.mark.parametrize("status", ["failed", "in_progress", "cancelled"])
    def test_a_step_that_was_not_completed_carries_nothing(self, status: Any) -> None:
        step = replace(calls_step(call("call_a", "sunny"), status=status), carried={"a": 1})
        assert prompt.build(run(), [], [step], {}, [], NONE_CHOSEN).carried == {}

    def test_a_message_deleted_meanwhile_carries_nothing(self) -> None:
        steps = [calls_step(call("call_a", "sunny")), replace(text_step("msg_2"), carried=[1])]
        assert prompt.build(run(), [], steps, {}, [], NONE_CHOSEN).carried == {}


class TestOptions:
    def test_options_are_passed_on(self) -> None:
        request = build(
            run(
                model="m",
                parallel_tool_calls=False,
                response_format=ObjectFormat(),
                temperature=0.3,
                top_p=0.9,
                reasoning_effort="low",
            )
        )
        assert request.model == "m"
        assert request.parallel_tool_calls is False
        assert request.response_format == ObjectFormat()
        assert (request.temperature, request.top_p, request.reasoning_effort) == (0.3, 0.9, "low")
        assert request.run_id == "run_1"

    def test_a_default_that_was_chosen_is_sent(self) -> None:
        # The model server's own default may be another one.
        request = build(run(), defaults=frozenset({"temperature", "parallel_tool_calls"}))
        assert (request.temperature, request.top_p, request.parallel_tool_calls) == (1.0, None, True)

    @pytest.mark.parametrize("fields", [{}, {"temperature": None, "top_p": None, "response_format": None}])
    def test_an_option_that_was_not_chosen_is_not_sent(self, fields: dict[str, Any]) -> None:
        request = build(run(**fields))
        assert (request.temperature, request.top_p, request.reasoning_effort) == (None, None, None)
        assert request.parallel_tool_calls is None
        assert request.response_format == "auto"
        assert request.max_completion_tokens is None

    def test_a_temperature_of_zero_is_a_choice(self) -> None:
        assert build(run(temperature=0.0)).temperature == 0.0

    def test_a_call_may_write_what_the_calls_before_left(self) -> None:
        steps = calls_step(call("a", "1"), usage=Usage(completion_tokens=100)), calls_step(call("b", "2"))
        assert build(run(max_completion_tokens=300), steps=steps).max_completion_tokens == 200
