"""Which adapters a configuration chooses."""

import stat
from pathlib import Path

import pytest

from runstead import RunsteadError, bootstrap
from runstead.config import Config
from runstead.wire.assistant import AssistantRequest
from tests.llm.fake_upstream import fake_upstream, plain


def listed(*names: str) -> dict[str, object]:
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


async def test_servers_answer_by_the_names_that_they_take_and_aliases_lead_to_them() -> None:
    async with fake_upstream(plain(listed("qwen3"))) as house, fake_upstream(plain(listed("other"))) as rest:
        model = bootstrap.model_of(
            Config(
                upstream=({"name": "house", "url": house.url, "models": ["qwen*"], "window": 100},),
                model_url=rest.url,
                model_key="sk-1",
                aliases={"gpt-4o": "qwen3"},
            )
        )
        await model.start()
        try:
            assert [each.id for each in await model.models()] == ["gpt-4o", "qwen3", "other"]
            assert model.window("gpt-4o") == 100
        finally:
            await model.stop()
        assert "authorization" not in house.exchanges[0].headers
        assert rest.exchanges[0].headers["authorization"] == "Bearer sk-1"


async def test_without_a_server_the_embedded_model_answers() -> None:
    model = bootstrap.model_of(Config())
    assert [each.id for each in await model.models()] == ["SmolLM2-135M-Instruct"]


async def test_a_script_goes_before_any_model(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text('[[answer]]\nsay = "Hi"\n')
    model = bootstrap.model_of(Config(script=str(script), model_url="http://127.0.0.1:1/v1"))
    assert [each.id for each in await model.models()] == ["scripted"]


def test_a_key_must_be_for_something() -> None:
    with pytest.raises(RunsteadError, match="no model_url"):
        bootstrap.model_of(Config(model_key="sk-1"))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"url": "http://127.0.0.1:1/v1", "ky": "a"}, "[[upstream]] number 1: Object contains unknown field `ky`"),
        ({"name": "house"}, "[[upstream]] house: Object missing required field `url`"),
        (
            {"name": "house", "url": "http://127.0.0.1:1/v1", "key": 5},
            "house: Expected `str | null`, got `int` - at `key`",
        ),
    ],
)
def test_what_is_wrong_with_a_server_is_said_with_its_name(table: dict[str, object], words: str) -> None:
    with pytest.raises(RunsteadError) as wrong:
        bootstrap.model_of(Config(upstream=(table,)))
    assert words in str(wrong.value)


async def test_the_data_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text("")
    config = Config(data=str(tmp_path / "a" / "b"), script=str(script))
    for _ in range(2):
        async with bootstrap.application(config) as application:
            assert application.ready
            await application.project("default").create_assistant(AssistantRequest(model="any"))
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert (tmp_path / "a" / "b" / "runstead.db").is_file()
