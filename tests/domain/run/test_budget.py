import pytest

from runstead.domain.run.budget import LONGEST_ANSWER, Allowance, allowance, completion_left, prompt_left, total_left
from runstead.wire.run import Usage
from tests.domain.things import call, calls_step, run, text_step

STEPS = [
    text_step("msg_1"),
    calls_step(call("call_a", "1"), usage=Usage(prompt_tokens=100, completion_tokens=10)),
    calls_step(status="failed", usage=Usage(prompt_tokens=200, completion_tokens=20)),
]


def test_without_a_budget_there_is_no_limit() -> None:
    assert prompt_left(run(), STEPS) is None
    assert completion_left(run(), STEPS) is None
    assert total_left(run(), STEPS) is None
    assert allowance(run(), STEPS, 10**9, None) == Allowance(tokens=None, calls=None)


def test_a_budget_is_for_all_calls_of_the_run() -> None:
    assert prompt_left(run(max_prompt_tokens=1000), STEPS) == 700
    assert completion_left(run(max_completion_tokens=1000), STEPS) == 970
    assert total_left(run(max_total_tokens=1000), STEPS) == 670
    assert allowance(run(max_tool_calls=3), STEPS, 0, None).calls == 2


def test_a_budget_may_be_overdrawn() -> None:
    assert prompt_left(run(max_prompt_tokens=256), STEPS) == -44
    assert total_left(run(max_total_tokens=256), STEPS) == -74
    assert allowance(run(max_tool_calls=1), [*STEPS, *STEPS], 0, None).calls == -1


def test_all_calls_of_a_turn_count() -> None:
    assert allowance(run(max_tool_calls=5), [calls_step(call("call_a", "1"), call("call_b", "2"))], 0, None).calls == 3


def test_unanswered_calls_do_not_count() -> None:
    assert allowance(run(max_tool_calls=5), [calls_step(call("call_a", None), status="failed")], 0, None).calls == 5


def test_an_answer_may_take_the_rest_of_the_total() -> None:
    allowed = allowance(run(max_total_tokens=1000), STEPS, 600, None)
    assert (allowed.tokens, allowed.limit) == (70, "max_total_tokens")


@pytest.mark.parametrize(
    ("total", "completion", "tokens", "limit"),
    [
        (1000, 200, 170, "max_completion_tokens"),
        (1000, 400, 270, "max_total_tokens"),
        (1000, 300, 270, "max_completion_tokens"),
        (100_000, 50_000, 49_970, "max_completion_tokens"),
    ],
)
def test_of_two_budgets_the_smaller_one_limits_the_answer(total: int, completion: int, tokens: int, limit: str) -> None:
    allowed = allowance(run(max_total_tokens=total, max_completion_tokens=completion), STEPS, 400, None)
    assert (allowed.tokens, allowed.limit) == (tokens, limit)


@pytest.mark.parametrize(("window", "most"), [(None, LONGEST_ANSWER), (1000, 900), (100_000, LONGEST_ANSWER)])
def test_a_total_that_no_answer_can_reach_limits_none(window: int | None, most: int) -> None:
    assert allowance(run(max_total_tokens=100 + most - 1), [], 100, window).tokens == most - 1
    assert allowance(run(max_total_tokens=100 + most), [], 100, window).tokens is None
