from runstead.domain.budget import completion_left, prompt_left
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


def test_a_budget_is_for_all_calls_of_the_run() -> None:
    assert prompt_left(run(max_prompt_tokens=1000), STEPS) == 700
    assert completion_left(run(max_completion_tokens=1000), STEPS) == 970


def test_a_budget_may_be_overdrawn() -> None:
    assert prompt_left(run(max_prompt_tokens=256), STEPS) == -44
