"""Which options were chosen."""

from typing import Any

import pytest

from runstead.domain.chosen_defaults import NONE_CHOSEN, ChosenDefaults, in_request, of_run, of_update, value_if_chosen
from runstead.wire.assistant import AssistantRequest, AssistantUpdate
from runstead.wire.run import RunRequest, ThreadRunRequest
from tests.domain.things import run


def defaults(*names: str) -> ChosenDefaults:
    return frozenset(names)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, NONE_CHOSEN),
        ({"temperature": None, "top_p": None}, NONE_CHOSEN),
        ({"temperature": 0.0, "top_p": 0.5}, NONE_CHOSEN),
        ({"temperature": 1.0, "top_p": 1}, defaults("temperature", "top_p")),
    ],
)
def test_a_request_chooses_the_defaults_that_it_sets(fields: dict[str, Any], expected: ChosenDefaults) -> None:
    assert in_request(AssistantRequest(model="m", **fields)) == expected
    assert in_request(RunRequest(assistant_id="asst_1", **fields)) == expected
    assert in_request(ThreadRunRequest(assistant_id="asst_1", **fields)) == expected


@pytest.mark.parametrize(("value", "expected"), [(True, defaults("parallel_tool_calls")), (False, NONE_CHOSEN)])
def test_parallel_tool_calls_can_be_chosen_for_a_run(value: bool, expected: ChosenDefaults) -> None:
    assert in_request(RunRequest(assistant_id="asst_1", parallel_tool_calls=value)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, defaults("temperature")),
        ({"temperature": None}, defaults("temperature")),
        ({"temperature": 0.5}, NONE_CHOSEN),
        ({"top_p": 1.0}, defaults("temperature", "top_p")),
    ],
)
def test_a_run_has_the_choices_of_its_assistant_that_it_leaves_open(
    fields: dict[str, Any], expected: ChosenDefaults
) -> None:
    assert of_run(RunRequest(assistant_id="asst_1", **fields), defaults("temperature")) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, defaults("temperature")),
        ({"temperature": None}, NONE_CHOSEN),
        ({"temperature": 0.5}, NONE_CHOSEN),
        ({"top_p": 1.0}, defaults("temperature", "top_p")),
    ],
)
def test_an_update_adds_choices_and_takes_them_back(fields: dict[str, Any], expected: ChosenDefaults) -> None:
    assert of_update(defaults("temperature"), AssistantUpdate(**fields)) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", 0.0), ("temperature", 0.5), ("top_p", 0.5), ("parallel_tool_calls", False)],
)
def test_another_value_than_the_default_was_chosen(name: str, value: Any) -> None:
    assert value_if_chosen(run(**{name: value}), name, NONE_CHOSEN) == value


@pytest.mark.parametrize(("name", "value"), [("temperature", 1.0), ("top_p", 1.0), ("parallel_tool_calls", True)])
def test_a_default_counts_if_it_was_chosen(name: str, value: Any) -> None:
    assert value_if_chosen(run(), name, defaults(name)) == value
    assert value_if_chosen(run(), name, NONE_CHOSEN) is None


def test_a_null_of_an_older_version_was_not_chosen() -> None:
    assert value_if_chosen(run(temperature=None), "temperature", NONE_CHOSEN) is None
