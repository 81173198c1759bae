from typing import Any

import pytest

from runstead.domain.next_move import AskClient, Filtered, Finish, OutOfBudget, Reply, before_call, next_move
from runstead.domain.truncation import fixed
from runstead.wire.run import Usage
from runstead.wire.run_step import RunStep
from runstead.wire.tool import FunctionCall, RequiredFunctionCall
from tests.domain.things import call, calls_step, message, run, text_step

CALLS = [
    RequiredFunctionCall(id="call_a", function=FunctionCall(name="weather", arguments='{"city":"Rome"}')),
    RequiredFunctionCall(id="call_b", function=FunctionCall(name="weather", arguments='{"city":"Oslo"}')),
]


class TestAfterATurn:
    def test_an_answer_ends_the_run(self) -> None:
        assert next_move(Reply()) == Finish()

    def test_calls_that_were_announced_and_not_made_end_the_run(self) -> None:
        assert next_move(Reply(finish="tool_calls")) == Finish()

    @pytest.mark.parametrize("finish", ["tool_calls", "stop"])
    def test_all_calls_are_asked_of_the_client_at_once(self, finish: Any) -> None:
        assert next_move(Reply(calls=CALLS, finish=finish)) == AskClient(CALLS)

    @pytest.mark.parametrize("calls", [(), CALLS])
    def test_an_answer_that_ran_out_of_tokens_asks_nothing(self, calls: Any) -> None:
        assert next_move(Reply(calls=calls, finish="length")) == OutOfBudget("max_completion_tokens")

    @pytest.mark.parametrize("calls", [(), CALLS])
    def test_an_answer_that_was_held_back_asks_nothing(self, calls: Any) -> None:
        assert next_move(Reply(calls=calls, finish="content_filter")) == Filtered()


def took(prompt_tokens: int = 0, completion_tokens: int = 0) -> list[RunStep]:
    usage = Usage(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
    return [calls_step(call("call_a", "sunny"), usage=usage)]


class TestBeforeACall:
    def test_without_budgets_any_call_may_be_made(self) -> None:
        assert before_call(run(), took(prompt_tokens=10**9, completion_tokens=10**9), {}) is None

    def test_a_call_needs_a_token_to_write(self) -> None:
        limited = run(max_completion_tokens=256)
        assert before_call(limited, took(completion_tokens=255), {}) is None
        assert before_call(limited, took(completion_tokens=256), {}) == OutOfBudget("max_completion_tokens")
        assert before_call(limited, took(completion_tokens=300), {}) == OutOfBudget("max_completion_tokens")

    def test_a_call_needs_room_for_more_than_its_fixed_part(self) -> None:
        least = fixed(run(), took(), {})
        assert before_call(run(max_prompt_tokens=1000), took(prompt_tokens=1000 - least - 1), {}) is None
        enough = took(prompt_tokens=1000 - least)
        assert before_call(run(max_prompt_tokens=1000), enough, {}) == OutOfBudget("max_prompt_tokens")

    def test_what_the_run_wrote_takes_room(self) -> None:
        limited, steps = run(max_prompt_tokens=256), [text_step("msg_2")]
        written = {"msg_2": message("x" * 3000, id="msg_2", role="assistant", run_id="run_1")}
        assert before_call(limited, steps, {}) is None
        assert before_call(limited, steps, written) == OutOfBudget("max_prompt_tokens")

    def test_instructions_over_the_budget_allow_no_call_at_all(self) -> None:
        assert before_call(run(instructions="x" * 3000, max_prompt_tokens=256), [], {}) == OutOfBudget(
            "max_prompt_tokens"
        )

    def test_the_first_call_may_be_made(self) -> None:
        assert before_call(run(max_prompt_tokens=256, max_completion_tokens=256), [], {}) is None
