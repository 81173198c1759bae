"""Secrets are masked in the error messages of a model server."""

import base64
import logging
from typing import Any
from urllib.parse import quote

import pytest

from runstead.llm.openai_chat.client import OpenAIChat
from runstead.llm.openai_chat.upstream import Upstream
from runstead.model_server.masking import Mask, secrets_in
from tests.llm.fake_upstream import fake_upstream, refused, stream
from tests.llm.openai_chat.client import failure, world

SECRET = "hk-Se/cret+1234="


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        SECRET.upper(),
        SECRET.lower(),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_a_secret_is_masked_however_it_is_spelled(spelling: str) -> None:
    assert Mask([SECRET])(f"Bad key '{spelling}'!").replace("=", "") == "Bad key '***'!"


def test_a_secret_within_a_longer_one_leaves_no_rest() -> None:
    assert Mask(["secret-1", "secret-1-and-more"])("secret-1-and-more secret-1") == "*** ***"


@pytest.mark.parametrize("short", ["", "none", "prod", "chat", "7654321"])
def test_a_short_value_shreds_no_text(short: str) -> None:
    words = "The chat model of prod has none: 7654321."
    assert Mask([short])(words) == words


def test_a_mask_without_secrets_changes_nothing() -> None:
    assert Mask([])("anything") == "anything"


def test_the_values_of_headers_are_secrets_with_and_without_their_scheme() -> None:
    named = [("Authorization", "Bearer abcdefgh"), ("api-key", "ijklmnop"), ("X-Title", "My program")]
    assert set(secrets_in(named)) - {""} == {"Bearer abcdefgh", "abcdefgh", "ijklmnop"}


def test_the_password_of_basic_authentication_is_a_secret() -> None:
    value = base64.b64encode(b"me:pass-word").decode()
    mask = Mask(secrets_in([("Authorization", f"Basic {value}")]))
    assert mask(f"{value}, me:pass-word, pass-word") == "***, ***, ***"
    assert Mask(secrets_in([("Authorization", "Basic no base64")]))("no base64") == "***"


HEADER, QUERY = "hk-header-secret", "qk-query-secret"


@pytest.mark.parametrize("answer", ["status", "stream", "redirect"])
async def test_no_error_shows_a_secret_of_the_headers_or_the_query(
    answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    words = f"No access for {HEADER} and {QUERY} with 2024-10-21."
    answers = {
        "status": refused(401, {"error": {"message": words}}),
        "stream": stream({"error": {"message": words}}),
        "redirect": refused(307, b"", {"Location": f"https://x.example/{words.replace(' ', '_')}"}),
    }
    async with fake_upstream(answers[answer]) as upstream:
        settings: dict[str, Any] = {
            "url": f"{upstream.url}?code={QUERY}&api-version=2024-10-21",
            "headers": {"x-key": HEADER},
        }
        model = OpenAIChat(Upstream(**settings))
        await model.start()
        error = await failure(model)
        assert await model.models() == []
        assert QUERY not in repr(vars(model)["_upstream"])
        await model.stop()
    assert upstream.exchanges[0].headers["x-key"] == HEADER
    assert f"code={QUERY}" in upstream.exchanges[0].path
    assert "***" in error.message
    assert "2024-10-21" in error.message
    assert HEADER not in error.message + caplog.text
    assert QUERY not in error.message + caplog.text


async def test_a_logged_retry_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    body = {"error": {"message": f"Overloaded, {HEADER}."}}
    with caplog.at_level(logging.WARNING, "runstead.llm"):
        async with world(refused(500, body), max_retries=1, headers={"x-key": HEADER}) as (model, _, _):
            assert HEADER not in (await failure(model)).message
    assert "Overloaded, ***." in caplog.text
    assert HEADER not in caplog.text
