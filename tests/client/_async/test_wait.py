"""`wait` returns when the run has paused, and never later than its time-out."""

import asyncio
from time import monotonic

import msgspec
import pytest

from runstead.client._async.client import AsyncClient
from runstead.wire.error import NotFound, Unreachable, WaitTimeout
from runstead.wire.run import Run, Status
from tests.client import samples
from tests.client._async.support import AsyncPauses
from tests.client.samples import EVENTS_PATH, RUN_PATH
from tests.client.wire_server import NoResponse, Response, Stream, WireServer, event

QUEUED, WORKING, WAITING, DONE = (
    Response.of(samples.run(status)) for status in ("queued", "in_progress", "requires_action", "completed")
)
RUN = msgspec.convert(samples.run(), Run)
NEWS = event("thread.run.in_progress", samples.run("in_progress"), "2")
END = event("thread.run.completed", samples.run("completed"), "3")


@pytest.mark.parametrize(("answer", "status"), [(DONE, "completed"), (WAITING, "requires_action")])
async def test_a_paused_run_is_returned_at_once(
    client: AsyncClient, server: WireServer, answer: Response, status: str
) -> None:
    server.on("GET", RUN_PATH, answer)
    assert (await client.wait(RUN)).status == status
    assert server.calls == [f"GET {RUN_PATH}"]


async def test_wait_reads_the_run_s_events(client: AsyncClient, server: WireServer, pauses: AsyncPauses) -> None:
    server.on("GET", RUN_PATH, QUEUED)
    server.on("GET", EVENTS_PATH, Stream.of(NEWS, cut=True), Stream.of(END))
    assert (await client.wait(RUN)).status is Status.COMPLETED
    assert server.calls == [f"GET {RUN_PATH}", f"GET {EVENTS_PATH}", f"GET {EVENTS_PATH}"]


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_wait_polls_a_server_without_run_events(
    client: AsyncClient, server: WireServer, pauses: AsyncPauses, status: int
) -> None:
    server.on("GET", EVENTS_PATH, Response.error(status))
    server.on("GET", RUN_PATH, QUEUED, QUEUED, WORKING, WORKING, DONE)
    assert (await client.wait(RUN)).status is Status.COMPLETED
    assert all(0 < pause <= 1 for pause in pauses.taken)


async def test_wait_polls_at_the_interval_that_the_server_asks_for(
    client: AsyncClient, server: WireServer, pauses: AsyncPauses
) -> None:
    slow = Response.of(samples.run("in_progress"), openai_poll_after_ms="1500")
    quick = Response.of(samples.run("in_progress"), openai_poll_after_ms="20")
    server.on("GET", RUN_PATH, QUEUED, slow, quick, DONE)
    await client.wait(RUN)
    assert pauses.taken == [1.5, 0.02]


async def test_waiting_for_a_deleted_run_raises_not_found(client: AsyncClient, server: WireServer) -> None:
    with pytest.raises(NotFound):
        await client.wait(RUN)


@pytest.mark.parametrize("pings", [False, True], ids=["silent", "with pings"])
async def test_wait_raises_wait_timeout_with_the_last_status(
    client: AsyncClient, server: WireServer, pings: bool
) -> None:
    server.on("GET", RUN_PATH, QUEUED)
    server.on("GET", EVENTS_PATH, Stream([NEWS], held=True, pings=pings))
    begun = monotonic()
    with pytest.raises(WaitTimeout, match=r"After 0.2 s run run_r+ was in_progress when it was last seen. It goes on."):
        await client.wait(RUN, timeout=0.2)
    assert 0.19 <= monotonic() - begun < 5
    assert await asyncio.to_thread(server.gone.wait, 5)


async def test_the_deadline_bounds_a_request_without_response(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", RUN_PATH, NoResponse())
    with pytest.raises(WaitTimeout, match="queued"):
        await client.wait(RUN, timeout=0.1)


async def test_the_deadline_bounds_polling(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", RUN_PATH, Response.of(samples.run("in_progress"), openai_poll_after_ms="0"))
    with pytest.raises(WaitTimeout, match="in_progress"):
        await client.wait(RUN, timeout=0.2)


async def test_waiting_without_a_server_raises_unreachable(client: AsyncClient, server: WireServer) -> None:
    server.stop()
    with pytest.raises(Unreachable):
        await client.wait(RUN)
