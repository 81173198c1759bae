"""Assistants and models with the official client: fields, defaults, limits and refusals."""

import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from openai.types.beta import FunctionTool
from openai.types.shared_params import FunctionDefinition

from tests.compat.script import refused

WEATHER: FunctionDefinition = {
    "name": "weather",
    "description": "Tells the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}


def test_an_assistant_shows_its_defaults(client: OpenAI) -> None:
    made = client.beta.assistants.create(model="gpt-4o")
    assert made.id.startswith("asst_")
    assert (made.object, made.model) == ("assistant", "gpt-4o")
    assert (made.name, made.description, made.instructions) == (None, None, None)
    assert (made.tools, made.metadata) == ([], {})
    assert (made.temperature, made.top_p, made.response_format) == (1.0, 1.0, "auto")


def test_an_assistant_has_the_requested_fields(client: OpenAI) -> None:
    made = client.beta.assistants.create(
        model="gpt-4o",
        name="Wetterfrosch",
        description="Knows the sky",
        instructions="Be brief.",
        tools=[{"type": "function", "function": WEATHER}],
        metadata={"team": "sky"},
        temperature=0.2,
        top_p=0.9,
        reasoning_effort="low",
        response_format={"type": "json_object"},
    )
    assert (made.name, made.description, made.instructions) == ("Wetterfrosch", "Knows the sky", "Be brief.")
    assert (made.temperature, made.top_p, made.metadata) == (0.2, 0.9, {"team": "sky"})
    assert made.response_format is not None
    assert not isinstance(made.response_format, str)
    assert made.response_format.type == "json_object"
    [tool] = made.tools
    assert isinstance(tool, FunctionTool)
    assert tool.function.model_dump() == WEATHER
    assert client.beta.assistants.retrieve(made.id) == made


def test_a_tool_shows_its_defaults(client: OpenAI) -> None:
    made = client.beta.assistants.create(
        model="gpt-4o",
        tools=[
            {"type": "function", "function": {"name": "now"}},
            {"type": "file_search"},
            {"type": "code_interpreter"},
        ],
    )
    function, search, code = (tool.model_dump() for tool in made.tools)
    assert function["function"]["parameters"] == {"type": "object", "properties": {}}
    assert function["function"]["strict"] is False
    assert search["file_search"]["ranking_options"]["score_threshold"] == 0.0
    assert search["file_search"]["ranking_options"]["ranker"] == "default_2024_08_21"
    assert code == {"type": "code_interpreter"}
    assert made.tool_resources is not None
    assert made.tool_resources.code_interpreter is not None
    assert made.tool_resources.code_interpreter.file_ids == []


def test_an_update_changes_only_the_given_fields(client: OpenAI) -> None:
    made = client.beta.assistants.create(model="gpt-4o", name="One", description="Here", metadata={"a": "1"})
    changed = client.beta.assistants.update(made.id, name="Two")
    assert changed == made.model_copy(update={"name": "Two"})
    cleared = client.beta.assistants.update(made.id, name=None, metadata=None)
    assert (cleared.name, cleared.metadata, cleared.description) == (None, {}, "Here")
    assert client.beta.assistants.retrieve(made.id) == cleared


def test_a_deleted_assistant_is_gone(client: OpenAI) -> None:
    made = client.beta.assistants.create(model="gpt-4o")
    gone = client.beta.assistants.delete(made.id)
    assert (gone.id, gone.object, gone.deleted) == (made.id, "assistant.deleted", True)
    with refused(NotFoundError, f"No assistant found with id '{made.id}'."):
        client.beta.assistants.retrieve(made.id)


def test_assistants_are_listed_newest_first(client: OpenAI) -> None:
    made = [client.beta.assistants.create(model="gpt-4o", name=str(number)).id for number in range(3)]
    assert [each.id for each in client.beta.assistants.list()] == made[::-1]
    assert [each.id for each in client.beta.assistants.list(order="asc")] == made


class TestMetadata:
    def test_sixteen_pairs_are_kept(self, client: OpenAI) -> None:
        metadata = {f"key{number}": "v" * 512 for number in range(16)}
        assert client.beta.assistants.create(model="gpt-4o", metadata=metadata).metadata == metadata

    def test_a_long_key_is_refused(self, client: OpenAI) -> None:
        with pytest.raises(BadRequestError, match="metadata") as error:
            client.beta.assistants.create(model="gpt-4o", metadata={"k" * 65: "v"})
        assert error.value.code == "property_name_above_max_length"

    def test_seventeen_pairs_are_refused(self, client: OpenAI) -> None:
        with refused(
            BadRequestError,
            "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
            "but got an object with 17 properties instead.",
            param="metadata",
            code="object_above_max_properties",
        ):
            client.beta.assistants.create(model="gpt-4o", metadata={str(number): "v" for number in range(17)})

    def test_a_long_value_is_refused(self, client: OpenAI) -> None:
        with refused(
            BadRequestError,
            "Invalid 'metadata.key': string too long. Expected a string with maximum length 512, "
            "but got a string with length 513 instead.",
            param="metadata.key",
            code="string_above_max_length",
        ):
            client.beta.assistants.create(model="gpt-4o", metadata={"key": "v" * 513})

    def test_a_value_that_is_not_a_string_is_refused(self, client: OpenAI) -> None:
        with refused(
            BadRequestError,
            "Invalid type for 'metadata.modified': expected a string, but got a boolean instead.",
            param="metadata.modified",
            code="invalid_type",
        ):
            client.beta.assistants.create(model="gpt-4o", metadata={"modified": True})  # type: ignore[dict-item]


def test_a_value_out_of_bounds_is_refused_with_its_field(client: OpenAI) -> None:
    with refused(
        BadRequestError,
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
        param="temperature",
        code="decimal_above_max_value",
    ):
        client.beta.assistants.create(model="gpt-4o", temperature=3)


def test_models_are_listed_and_found(client: OpenAI) -> None:
    [model] = client.models.list()
    assert (model.id, model.object) == ("gpt-4o", "model")
    assert client.models.retrieve(model.id) == model
    with refused(NotFoundError, "The model 'no-such-model' does not exist", param="model", code="model_not_found"):
        client.models.retrieve("no-such-model")
