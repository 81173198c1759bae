from typing import Any

import pytest
from msgspec.structs import replace

from runstead.domain.run.budget import Allowance
from runstead.domain.run.journal import Call, StepRow
from runstead.domain.run.next_move import (
    MAX_REFUSED_TURNS,
    AskClient,
    Filtered,
    Finish,
    OutOfBudget,
    Reply,
    RunTools,
    UnknownFunction,
    before_call,
    next_move,
)
from runstead.wire.run import Usage
from tests.domain.things import call, calls_step, run, text_step

CALLS = [
    Call(id="call_a", name="weather", arguments='{"city":"Rome"}'),
    Call(id="call_b", name="weather", arguments='{"city":"Oslo"}'),
]
SEARCH = Call(id="call_c", name="search", arguments="{}", tool="file_search")


ANY = Allowance()


def refused(name: str = "unheard_of") -> Call:
    return Call(id="call_x", name=name, arguments="{}", status="failed", output="No.")


def refused_step() -> StepRow:
    return replace(calls_step(call("call_x", "No.")), calls=[refused()])


class TestFunctionsThatWereNotOffered:
    def test_the_model_is_asked_again(self) -> None:
        assert next_move(Reply(calls=[refused()]), ANY) == AskClient()
        assert next_move(Reply(calls=[refused()]), ANY, [refused_step()]) == AskClient()

    def test_too_many_turns_of_nothing_else_fail_the_run(self) -> None:
        steps = [refused_step()] * (MAX_REFUSED_TURNS - 1)
        assert next_move(Reply(calls=[refused()]), ANY, steps) == UnknownFunction("unheard_of")
        assert next_move(Reply(calls=[refused(), *CALLS]), ANY, steps) == AskClient()
        assert next_move(Reply(calls=CALLS), ANY, steps) == AskClient()

    def test_only_the_last_turns_count(self) -> None:
        steps = [refused_step(), refused_step(), calls_step(call("call_a", "sunny")), text_step("msg_1")]
        assert next_move(Reply(calls=[refused()]), ANY, steps) == AskClient()


class TestAfterATurn:
    def test_an_answer_ends_the_run(self) -> None:
        assert next_move(Reply(), ANY) == Finish()

    def test_calls_that_were_announced_and_not_made_end_the_run(self) -> None:
        assert next_move(Reply(finish="tool_calls"), ANY) == Finish()

    @pytest.mark.parametrize("finish", ["tool_calls", "stop"])
    def test_all_calls_are_asked_of_the_client_at_once(self, finish: Any) -> None:
        assert next_move(Reply(calls=CALLS, finish=finish), ANY) == AskClient()

    @pytest.mark.parametrize("calls", [[SEARCH], [*CALLS, SEARCH], [SEARCH, *CALLS]])
    def test_calls_of_the_server_come_before_those_of_the_client(self, calls: Any) -> None:
        assert next_move(Reply(calls=calls), ANY) == RunTools()

    def test_calls_of_the_server_count_as_those_of_the_client(self) -> None:
        assert next_move(Reply(calls=[*CALLS, SEARCH]), Allowance(calls=2)) == OutOfBudget("max_tool_calls")

    @pytest.mark.parametrize("calls", [(), CALLS])
    def test_an_answer_that_ran_out_of_tokens_asks_nothing(self, calls: Any) -> None:
        assert next_move(Reply(calls=calls, finish="length"), ANY) == OutOfBudget("max_completion_tokens")

    def test_an_answer_that_is_cut_has_used_up_the_budget_that_cut_it(self) -> None:
        allowed = Allowance(tokens=5, limit="max_total_tokens", calls=1)
        assert next_move(Reply(calls=CALLS, finish="length"), allowed) == OutOfBudget("max_total_tokens")

    @pytest.mark.parametrize("calls", [(), CALLS])
    def test_an_answer_that_was_held_back_asks_nothing(self, calls: Any) -> None:
        assert next_move(Reply(calls=calls, finish="content_filter"), ANY) == Filtered()

    @pytest.mark.parametrize("left", [-1, 0, 1])
    def test_of_calls_that_exceed_their_budget_none_is_asked(self, left: int) -> None:
        assert next_move(Reply(calls=CALLS), Allowance(calls=left)) == OutOfBudget("max_tool_calls")

    def test_calls_that_use_up_their_budget_are_asked(self) -> None:
        assert next_move(Reply(calls=CALLS), Allowance(calls=2)) == AskClient()

    def test_an_answer_needs_no_calls(self) -> None:
        assert next_move(Reply(), Allowance(calls=0)) == Finish()


def took(prompt_tokens: int = 0, completion_tokens: int = 0) -> list[StepRow]:
    usage = Usage(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
    return [calls_step(call("call_a", "sunny"), usage=usage)]


class TestBeforeACall:
    def test_without_budgets_any_call_may_be_made(self) -> None:
        assert before_call(run(), took(prompt_tokens=10**9, completion_tokens=10**9), 10**9) is None

    def test_a_call_needs_a_token_to_write(self) -> None:
        limited = run(max_completion_tokens=256)
        assert before_call(limited, took(completion_tokens=255), 1) is None
        assert before_call(limited, took(completion_tokens=256), 1) == OutOfBudget("max_completion_tokens")
        assert before_call(limited, took(completion_tokens=300), 1) == OutOfBudget("max_completion_tokens")

    def test_a_call_needs_room_for_its_prompt(self) -> None:
        limited = run(max_prompt_tokens=1000)
        assert before_call(limited, took(prompt_tokens=900), 100) is None
        assert before_call(limited, took(prompt_tokens=900), 101) == OutOfBudget("max_prompt_tokens")
        assert before_call(limited, [], 1001) == OutOfBudget("max_prompt_tokens")

    def test_a_call_needs_room_for_its_prompt_and_a_token_to_write(self) -> None:
        limited = run(max_total_tokens=1000)
        assert before_call(limited, took(600, 200), 199) is None
        assert before_call(limited, took(600, 200), 200) == OutOfBudget("max_total_tokens")
        assert before_call(limited, took(600, 600), 0) == OutOfBudget("max_total_tokens")

    def test_the_first_call_may_be_made(self) -> None:
        limited = run(max_prompt_tokens=256, max_completion_tokens=256, max_total_tokens=256, max_tool_calls=1)
        assert before_call(limited, [], 255) is None
