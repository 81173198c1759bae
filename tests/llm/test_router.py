"""Requests are routed by model name."""

from collections.abc import Sequence

import pytest

from runstead.domain.model_call import ModelRequest, TextPiece
from runstead.llm.port import ChatModel, ModelError
from runstead.llm.router import Router
from runstead.llm.scripted import ScriptedModel
from runstead.wire.error import RunsteadError
from runstead.wire.model import Model


class Named(ScriptedModel):
    """Answers with its own name, and supports models that begin with it."""

    def __init__(self, name: str, window: int | None = None) -> None:
        super().__init__(lambda request: f"{name}:{request.model}", name=f"{name}-1", window=window)
        self.prefix = name
        self.running = False

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False

    def supports(self, model: str) -> bool:
        return model.startswith(self.prefix)


class Broken(Named):
    async def start(self) -> None:
        raise RunsteadError("It does not start.")


async def answer(model: ChatModel, name: str) -> str:
    async with model.reply(ModelRequest(model=name, messages=[])) as batches:
        return "".join([piece.text async for batch in batches for piece in batch if isinstance(piece, TextPiece)])


async def test_the_first_upstream_that_supports_the_model_answers() -> None:
    router = Router([Named("qwen"), Named("q"), Named("gpt")])
    assert [await answer(router, name) for name in ("qwen3", "q3", "gpt-4o")] == ["qwen:qwen3", "q:q3", "gpt:gpt-4o"]


async def test_an_alias_is_routed_to_its_model() -> None:
    router = Router([Named("qwen", window=100), Named("gpt", window=5)], {"gpt-4o": "qwen3"})
    assert await answer(router, "gpt-4o") == "qwen:qwen3"
    assert (router.window("gpt-4o"), router.window("gpt-5")) == (100, 5)


async def test_an_unsupported_model_name_is_a_model_error() -> None:
    router = Router([Named("qwen")])
    assert (router.supports("gpt"), router.window("gpt")) == (False, None)
    with pytest.raises(ModelError, match="No model server is set up for the model 'gpt'"):
        await answer(router, "gpt")


@pytest.mark.parametrize(
    ("aliases", "words"),
    [
        ({"a": "b", "b": "qwen3"}, "'a' leads to 'b', which is an alias too"),
        ({"qwen": "qwen"}, "alias too"),
        ({"a": "gpt"}, "'a' leads to 'gpt', which no upstream supports"),
    ],
)
def test_an_alias_must_name_a_supported_model_and_no_alias(aliases: dict[str, str], words: str) -> None:
    with pytest.raises(RunsteadError, match=words):
        Router([Named("qwen")], aliases)


async def test_models_and_aliases_are_listed_once_each() -> None:
    router = Router([Named("qwen"), Named("qwen"), Named("gpt")], {"gpt-4o": "qwen3", "gpt-1": "qwen3"})
    assert [model.id for model in await router.models()] == ["gpt-4o", "gpt-1", "qwen-1"]


async def test_a_model_that_is_routed_to_another_upstream_is_not_listed() -> None:
    class Lists(Named):
        async def models(self) -> Sequence[Model]:
            return [Model(id="gpt-1"), Model(id="qwen-2")]

    router = Router([Named("gpt"), Lists("qwen")])
    assert [model.id for model in await router.models()] == ["gpt-1", "qwen-2"]


async def test_all_upstreams_are_started_and_stopped() -> None:
    one, two = Named("a"), Named("b")
    router = Router([one, two])
    await router.start()
    assert (one.running, two.running) == (True, True)
    await router.stop()
    assert (one.running, two.running) == (False, False)


async def test_a_failed_start_stops_the_upstreams_already_started() -> None:
    one = Named("a")
    with pytest.raises(RunsteadError):
        await Router([one, Broken("b")]).start()
    assert not one.running
