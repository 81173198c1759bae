from runstead.domain.run import usage
from runstead.wire.run import CompletionTokensDetails, PromptTokensDetails, Usage
from tests.domain.things import calls_step, text_step


def took(prompt: int, completion: int, cached: int, reasoning: int) -> Usage:
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_token_details=PromptTokensDetails(cached_tokens=cached),
        completion_tokens_details=CompletionTokensDetails(reasoning_tokens=reasoning),
    )


def test_every_number_is_added() -> None:
    assert usage.add(took(1, 2, 3, 4), took(10, 20, 30, 40)) == took(11, 22, 33, 44)


def test_the_usage_of_a_run_is_the_sum_of_its_steps() -> None:
    steps = [text_step("msg_1", usage=took(1, 2, 3, 4)), calls_step(), calls_step(usage=took(10, 20, 30, 40))]
    assert usage.total(steps) == took(11, 22, 33, 44)


def test_a_run_without_steps_took_nothing() -> None:
    assert usage.total([]) == Usage(prompt_tokens=0, completion_tokens=0, total_tokens=0)
