"""The requests that arrive at each kind of model server."""

from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from runstead.domain.model_call import Finish, ModelRequest
from runstead.llm.openai_chat.client import OpenAIChat
from runstead.llm.openai_chat.upstream import Upstream
from runstead.model_server.endpoint import Endpoints
from runstead.model_server.preset import GENERIC, PRESETS, preset_of
from runstead.wire.error import RunsteadError
from runstead.wire.tool import Function
from tests.llm.fake_upstream import Answer, Exchange, fake_upstream, plain, text
from tests.llm.openai_chat.client import KEY, REQUEST, ask, said


class Expected(NamedTuple):
    """The request that a server should receive."""

    url: str | None
    """The default URL of chat completions."""
    path: str
    """The path for a URL without one."""
    variable: str | None = None
    header: str = "authorization"
    limit: str = "max_tokens"
    usage: bool = True
    """Whether the token counts of a stream are asked for."""
    lists: bool = True


CHAT, NEW = "/chat/completions", "max_completion_tokens"
EXPECTED = {
    "generic": Expected(None, CHAT),
    "openai": Expected(f"https://api.openai.com/v1{CHAT}", f"/v1{CHAT}", "OPENAI_API_KEY", limit=NEW),
    "azure": Expected(None, f"/openai/v1{CHAT}", "AZURE_OPENAI_API_KEY", header="api-key", limit=NEW, lists=False),
    "anthropic": Expected(f"https://api.anthropic.com/v1{CHAT}", f"/v1{CHAT}", "ANTHROPIC_API_KEY", lists=False),
    "gemini": Expected(
        f"https://generativelanguage.googleapis.com/v1beta/openai{CHAT}", f"/v1beta/openai{CHAT}", "GEMINI_API_KEY"
    ),
    "mistral": Expected(f"https://api.mistral.ai/v1{CHAT}", f"/v1{CHAT}", "MISTRAL_API_KEY", usage=False),
    "deepseek": Expected(f"https://api.deepseek.com{CHAT}", CHAT, "DEEPSEEK_API_KEY"),
    "openrouter": Expected(f"https://openrouter.ai/api/v1{CHAT}", f"/api/v1{CHAT}", "OPENROUTER_API_KEY", usage=False),
    "groq": Expected(f"https://api.groq.com/openai/v1{CHAT}", f"/openai/v1{CHAT}", "GROQ_API_KEY", limit=NEW),
    "ollama": Expected(f"http://127.0.0.1:11434/v1{CHAT}", f"/v1{CHAT}"),
    "vllm": Expected(f"http://127.0.0.1:8000/v1{CHAT}", f"/v1{CHAT}"),
    "llama.cpp": Expected(f"http://127.0.0.1:8080/v1{CHAT}", f"/v1{CHAT}"),
    "lmstudio": Expected(f"http://127.0.0.1:1234/v1{CHAT}", f"/v1{CHAT}"),
}
UNMARKED = {"vllm", "llama.cpp"}
"""Servers whose URL other programs have too."""
TOOL = Function(name="weather")
PLAIN = plain({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]})
LISTED = plain({"data": [{"id": "a"}]})


async def exchange_of(answer: Answer, request: ModelRequest = REQUEST, path: str = "", **settings: Any) -> Exchange:
    """The request that arrives at a server, which answers it."""
    async with fake_upstream(answer) as upstream:
        model = OpenAIChat(Upstream(url=upstream.url.removesuffix("/v1") + path, **settings))
        await model.start()
        try:
            assert said(pieces := await ask(model, request)) == "Hello"
            assert Finish("stop") in pieces
        finally:
            await model.stop()
    [exchange] = upstream.exchanges
    return exchange


def test_every_preset_is_tested() -> None:
    assert list(EXPECTED) == list(PRESETS)


@pytest.mark.parametrize("tools", [False, True])
@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("name", PRESETS)
async def test_requests_follow_the_preset_of_the_server(
    name: str, streamed: bool, tools: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = EXPECTED[name]
    if expected.variable:
        monkeypatch.setenv(expected.variable, KEY)
    request = replace(REQUEST, max_completion_tokens=50, functions=[TOOL] if tools else ())
    settings: dict[str, Any] = {} if streamed else {"leave_out": ("stream",)}
    sent = await exchange_of(text("Hello") if streamed else PLAIN, request, preset=name, **settings)
    assert (sent.method, sent.path) == ("POST", expected.path)
    keys = {header: sent.headers[header] for header in ("authorization", "api-key") if header in sent.headers}
    bearer = f"Bearer {KEY}" if expected.header == "authorization" else KEY
    assert keys == ({expected.header: bearer} if expected.variable else {})
    fields = {"model": "m", "messages": REQUEST.messages, expected.limit: 50}
    if streamed:
        fields["stream"] = True
        if expected.usage:
            fields["stream_options"] = {"include_usage": True}
    if tools:
        fields["tools"] = [
            {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
        ]
    assert sent.json == fields


@pytest.mark.parametrize("name", PRESETS)
async def test_chosen_options_are_sent_to_each_server(name: str) -> None:
    request = replace(REQUEST, functions=[TOOL], temperature=0.5, top_p=1.0, parallel_tool_calls=True)
    sent = await exchange_of(text("Hello"), request, preset=name, key=KEY)
    assert {field: sent.json[field] for field in ("temperature", "top_p", "parallel_tool_calls")} == {
        "temperature": 0.5,
        "top_p": 1.0,
        "parallel_tool_calls": True,
    }


@pytest.mark.parametrize("name", PRESETS)
async def test_models_are_listed_where_the_list_has_the_right_names(name: str) -> None:
    async with fake_upstream(LISTED) as upstream:
        model = OpenAIChat(Upstream(url=upstream.url.removesuffix("/v1"), preset=name, key=KEY))
        await model.start()
        listed = [each.id for each in await model.models()]
        await model.stop()
    paths = [exchange.path for exchange in upstream.exchanges]
    if EXPECTED[name].lists:
        assert (listed, paths) == (["a"], [EXPECTED[name].path.removesuffix(CHAT) + "/models"])
    else:
        assert (listed, paths) == ([], [])


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if expected.url])
def test_a_preset_has_the_url_of_its_server(name: str) -> None:
    upstream = Upstream(preset=name)
    assert str(Endpoints(upstream.base_url, upstream.server).chat("m")) == EXPECTED[name].url


@pytest.mark.parametrize(
    ("url", "name"),
    [
        *((expected.url, name) for name, expected in EXPECTED.items() if expected.url and name not in UNMARKED),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://API.OpenAI.com:443/v1", "openai"),
        ("https://mine.openai.azure.com", "azure"),
        ("https://mine.services.ai.azure.com/openai/v1", "azure"),
        ("https://mine.cognitiveservices.azure.com/openai/deployments/a?api-version=2024-10-21", "azure"),
        ("http://localhost:11434", "ollama"),
        ("http://[::1]:11434/v1", "ollama"),
        ("http://localhost:1234/v1", "lmstudio"),
        ("http://127.0.0.1:8000/v1", GENERIC),
        ("http://127.0.0.1:8080/v1", GENERIC),
        ("http://gpu:11434/v1", GENERIC),
        ("https://api.openai.com.example.org/v1", GENERIC),
        ("https://example.org/api.openai.com", GENERIC),
        ("https://openai.azure.com.example.org", GENERIC),
    ],
)
def test_a_server_is_recognised_by_its_url(url: str, name: str) -> None:
    assert preset_of(url) == name


@pytest.mark.parametrize(
    ("path", "model", "expected"),
    [
        ("", "gpt-4o", f"/openai/v1{CHAT}"),
        ("/openai/", "gpt-4o", f"/openai/v1{CHAT}"),
        ("/openai/v1/", "gpt-4o", f"/openai/v1{CHAT}"),
        ("/openai/v1?api-version=preview", "gpt-4o", f"/openai/v1{CHAT}?api-version=preview"),
        ("?api-version=2024-10-21", "gpt-4o", f"/openai/deployments/gpt-4o{CHAT}?api-version=2024-10-21"),
        ("/openai?api-version=2024-10-21", "a b/c", f"/openai/deployments/a%20b%2Fc{CHAT}?api-version=2024-10-21"),
        (
            f"/openai/deployments/mine{CHAT}?api-version=2024-10-21",
            "gpt-4o",
            f"/openai/deployments/mine{CHAT}?api-version=2024-10-21",
        ),
    ],
)
async def test_azure_is_asked_by_deployment_or_by_version_1(path: str, model: str, expected: str) -> None:
    request = replace(REQUEST, model=model, max_completion_tokens=50)
    sent = await exchange_of(text("Hello"), request, path, preset="azure", key=KEY)
    assert sent.path == expected
    assert sent.headers["api-key"] == KEY
    assert "authorization" not in sent.headers
    assert (sent.json["model"], sent.json["max_completion_tokens"]) == (model, 50)


async def test_any_url_may_have_the_model_in_its_path() -> None:
    sent = await exchange_of(text("Hello"), REQUEST, "/serving/{model}/v1")
    assert sent.path == f"/serving/m/v1{CHAT}"


def test_a_server_without_a_name_has_that_of_its_preset() -> None:
    assert Upstream(preset="openai").name == "openai"
    assert Upstream(preset="openai", name="mine").name == "mine"
    assert Upstream(url="https://api.openai.com/v1").name == "upstream"


def test_a_key_or_a_header_of_the_configuration_wins_over_the_variable() -> None:
    environment = {"OPENAI_API_KEY": "sk-environment", "MINE": "sk-mine"}
    assert Upstream(preset="openai").all_headers(environment) == {"Authorization": "Bearer sk-environment"}
    assert Upstream(preset="openai", key="sk-1").all_headers(environment) == {"Authorization": "Bearer sk-1"}
    assert Upstream(preset="openai", key_env="MINE").all_headers(environment) == {"Authorization": "Bearer sk-mine"}
    headers = {"authorization": "Token 1"}
    assert Upstream(preset="openai", headers=headers).all_headers({}) == headers
    assert Upstream(preset="openai", headers=headers, key="a").all_headers({}) == {"Authorization": "Bearer a"}
    # Azure also takes the bearer tokens of Entra.
    assert Upstream(preset="azure", url="https://a.openai.azure.com", headers=headers).all_headers({}) == headers


@pytest.mark.parametrize("environment", [{}, {"OPENAI_API_KEY": ""}])
def test_a_missing_key_is_named_at_the_start(environment: dict[str, str]) -> None:
    with pytest.raises(RunsteadError, match="Upstream 'main': the environment variable OPENAI_API_KEY is not set"):
        Upstream(name="main", url="https://api.openai.com/v1").all_headers(environment)
