"""Which options were chosen."""

from typing import Any

import pytest

from runstead.domain.chosen import NOTHING, Chosen, evident, given, of_run, updated, value_if_chosen
from runstead.wire.assistant import AssistantRequest, AssistantUpdate
from runstead.wire.run import RunRequest, ThreadRunRequest
from tests.domain.things import run


def chosen(*names: str) -> Chosen:
    return frozenset(names)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, NOTHING),
        ({"temperature": None, "top_p": None}, NOTHING),
        ({"temperature": 0.0}, chosen("temperature")),
        ({"temperature": 1.0, "top_p": 1.0}, chosen("temperature", "top_p")),
    ],
)
def test_a_request_chooses_what_it_sets(fields: dict[str, Any], expected: Chosen) -> None:
    assert given(AssistantRequest(model="m", **fields)) == expected
    assert given(RunRequest(assistant_id="asst_1", **fields)) == expected
    assert given(ThreadRunRequest(assistant_id="asst_1", **fields)) == expected


@pytest.mark.parametrize("value", [True, False])
def test_parallel_tool_calls_can_be_chosen_for_a_run(value: bool) -> None:
    assert given(RunRequest(assistant_id="asst_1", parallel_tool_calls=value)) == chosen("parallel_tool_calls")


def test_a_run_has_the_choices_of_its_assistant_too() -> None:
    request = RunRequest(assistant_id="asst_1", top_p=0.5, temperature=None)
    assert of_run(request, chosen("temperature")) == chosen("temperature", "top_p")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, chosen("temperature")),
        ({"temperature": None}, NOTHING),
        ({"top_p": 1.0}, chosen("temperature", "top_p")),
    ],
)
def test_an_update_adds_choices_and_takes_them_back(fields: dict[str, Any], expected: Chosen) -> None:
    assert updated(chosen("temperature"), AssistantUpdate(**fields)) == expected


def test_a_value_other_than_the_default_was_chosen() -> None:
    assert evident(run()) == NOTHING
    assert evident(run(temperature=None)) == NOTHING
    assert evident(run(temperature=0.0, top_p=0.5, parallel_tool_calls=False)) == chosen(
        "temperature", "top_p", "parallel_tool_calls"
    )


def test_only_a_chosen_value_counts() -> None:
    assert value_if_chosen(run(), "temperature", NOTHING) is None
    assert value_if_chosen(run(), "temperature", chosen("temperature")) == 1.0
