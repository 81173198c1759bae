# Generated from tests/client/_async/test_wait.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""Waiting is bounded, and ends with the run."""

from time import monotonic

import msgspec
import pytest

from runstead.client._sync.client import Client
from runstead.wire.error import NotFound, Unreachable, WaitTimeout
from runstead.wire.run import Run, Status
from tests.client import samples
from tests.client._sync.support import Pauses
from tests.client.samples import EVENTS_PATH, RUN_PATH
from tests.client.wire_server import Answer, Silence, Stream, WireServer, event

QUEUED, WORKING, WAITING, DONE = (
    Answer.of(samples.run(status)) for status in ("queued", "in_progress", "requires_action", "completed")
)
RUN = msgspec.convert(samples.run(), Run)
NEWS = event("thread.run.in_progress", samples.run("in_progress"), "2")
END = event("thread.run.completed", samples.run("completed"), "3")


@pytest.mark.parametrize(("answer", "status"), [(DONE, "completed"), (WAITING, "requires_action")])
def test_a_run_that_has_paused_is_given_back_at_once(
    client: Client, server: WireServer, answer: Answer, status: str
) -> None:
    server.on("GET", RUN_PATH, answer)
    assert (client.wait(RUN)).status == status
    assert server.calls == [f"GET {RUN_PATH}"]


def test_the_run_s_events_are_followed(client: Client, server: WireServer, pauses: Pauses) -> None:
    server.on("GET", RUN_PATH, QUEUED)
    server.on("GET", EVENTS_PATH, Stream.of(NEWS, cut=True), Stream.of(END))
    assert (client.wait(RUN)).status is Status.COMPLETED
    assert server.calls == [f"GET {RUN_PATH}", f"GET {EVENTS_PATH}", f"GET {EVENTS_PATH}"]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_run_events_is_asked_until_the_run_ends(
    client: Client, server: WireServer, pauses: Pauses, status: int
) -> None:
    server.on("GET", EVENTS_PATH, Answer.error(status))
    server.on("GET", RUN_PATH, QUEUED, QUEUED, WORKING, WORKING, DONE)
    assert (client.wait(RUN)).status is Status.COMPLETED
    assert all(0 < pause <= 1 for pause in pauses.taken)


def test_it_is_asked_as_often_as_it_wishes(client: Client, server: WireServer, pauses: Pauses) -> None:
    slow = Answer.of(samples.run("in_progress"), openai_poll_after_ms="1500")
    quick = Answer.of(samples.run("in_progress"), openai_poll_after_ms="20")
    server.on("GET", RUN_PATH, QUEUED, slow, quick, DONE)
    client.wait(RUN)
    assert pauses.taken == [1.5, 0.02]


def test_a_run_that_is_gone_is_not_found(client: Client, server: WireServer) -> None:
    with pytest.raises(NotFound):
        client.wait(RUN)


@pytest.mark.parametrize("pings", [False, True], ids=["in silence", "with signs of life"])
def test_waiting_ends_in_time_and_says_how_far_the_run_was(client: Client, server: WireServer, pings: bool) -> None:
    server.on("GET", RUN_PATH, QUEUED)
    server.on("GET", EVENTS_PATH, Stream([NEWS], held=True, pings=pings))
    begun = monotonic()
    with pytest.raises(WaitTimeout, match=r"After 0.2 s run run_r+ was in_progress when it was last seen. It goes on."):
        client.wait(RUN, timeout=0.2)
    assert 0.19 <= monotonic() - begun < 5
    assert server.gone.wait(5)


def test_a_server_that_hangs_does_not_make_it_longer(client: Client, server: WireServer) -> None:
    server.on("GET", RUN_PATH, Silence())
    with pytest.raises(WaitTimeout, match="queued"):
        client.wait(RUN, timeout=0.1)


def test_nor_does_one_that_is_asked_again_and_again(client: Client, server: WireServer) -> None:
    server.on("GET", RUN_PATH, Answer.of(samples.run("in_progress"), openai_poll_after_ms="0"))
    with pytest.raises(WaitTimeout, match="in_progress"):
        client.wait(RUN, timeout=0.2)


def test_a_server_that_is_gone_is_unreachable(client: Client, server: WireServer) -> None:
    server.stop()
    with pytest.raises(Unreachable):
        client.wait(RUN)
