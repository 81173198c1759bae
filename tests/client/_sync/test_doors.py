# Generated from tests/client/_async/test_doors.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""`connect` gives a client that is the interface."""

import pytest

from runstead.client import connect
from tests.client import samples
from tests.client.samples import THREAD_ID
from tests.client.wire_server import Answer, WireServer


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
def test_a_url_may_have_the_version_or_not(server: WireServer, path: str) -> None:
    server.on("GET", f"/threads/{THREAD_ID}", Answer.of(samples.thread()))
    with connect(server.url + path) as client:
        assert (client.get_thread(THREAD_ID)).id == THREAD_ID


def test_the_url_may_come_from_the_environment(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTEAD_URL", server.url)
    server.on("GET", f"/threads/{THREAD_ID}", Answer.of(samples.thread()))
    with connect() as client:
        assert (client.get_thread(THREAD_ID)).id == THREAD_ID


def test_without_a_url_it_is_the_server_of_this_machine() -> None:
    with connect() as client:
        assert "http://127.0.0.1:8642/v1" in repr(client)


@pytest.mark.parametrize(("given", "sent"), [(None, "Bearer from-outside"), ("mine", "Bearer mine"), ("", None)])
def test_the_key_is_given_or_from_the_environment(
    server: WireServer, monkeypatch: pytest.MonkeyPatch, given: str | None, sent: str | None
) -> None:
    monkeypatch.setenv("RUNSTEAD_API_KEY", "from-outside")
    server.on("GET", f"/threads/{THREAD_ID}", Answer.of(samples.thread()))
    with connect(server.url, api_key=given) as client:
        client.get_thread(THREAD_ID)
    assert server.seen[0].headers.get("authorization") == sent


def test_headers_of_one_s_own_go_along_and_win(server: WireServer) -> None:
    server.on("GET", f"/threads/{THREAD_ID}", Answer.of(samples.thread()))
    headers = {"api-key": "k", "openai-beta": "assistants=v3"}
    with connect(server.url, headers=headers) as client:
        client.get_thread(THREAD_ID)
    assert server.seen[0].headers["api-key"] == "k"
    assert server.seen[0].headers["openai-beta"] == "assistants=v3"
