"""Real processes whose clocks are minutes apart: one transcript, one order, and one time, that of the database."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import pytest

import runstead
from runstead.client import Client
from runstead.engine.adapters import SystemClock
from runstead.wire.assistant import AssistantRequest
from runstead.wire.message import MessageRequest
from runstead.wire.run import RunRequest
from runstead.wire.struct import SortOrder
from tests.support.cluster import Cluster, cluster
from tests.support.program import Clocks
from tests.support.worlds import text_of

ROUNDS = 6
CLOSE = 2
"""Whole seconds by which two readings of one clock may differ."""
SCRIPT = """
[[answer]]
say = "You said: {message}"
"""
MACHINES_WRONG = [Clocks(300.0), Clocks(-240.0), Clocks(120.0), Clocks(-7200.0)]
"""The machines' clocks are wrong, the database's is right."""
ALL_WRONG = [Clocks(300.0, 150.0), Clocks(-240.0, -120.0), Clocks(120.0, 60.0), Clocks(-7200.0, -240.0)]
"""As if each process had read another database's clock."""


class Site(NamedTuple):
    cluster: Cluster
    clients: list[Client]
    clocks: Sequence[Clocks]


@pytest.fixture(params=[MACHINES_WRONG, ALL_WRONG], ids=["machines", "all"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Two servers, which execute nothing, and two workers. Each process has clocks of its own."""
    clocks = cycle(request.param)
    with cluster(tmp_path, apis=2, workers=2, script=SCRIPT, clocks=lambda: next(clocks)) as here, ExitStack() as stack:
        clients = [stack.enter_context(runstead.connect(url)) for url in here.urls]
        yield Site(here, clients, request.param)


def texts(client: Client, thread_id: str, order: SortOrder) -> list[str]:
    return [text_of(message) for message in client.messages(thread_id, 100, order)]


def test_a_conversation_over_processes_with_wrong_clocks_is_in_order(site: Site) -> None:
    first, second = site.clients
    assistant = first.create_assistant(AssistantRequest(model="any"))
    thread = first.create_thread()
    said, runs = list[str](), list[str]()
    for number in range(ROUNDS):
        asking, running = site.clients[number % 2], site.clients[(number + 1) % 2]
        for program in site.cluster.workers:
            program.set_clock()
        asking.create_message(thread.id, MessageRequest(role="user", content=f"Number {number}"))
        run = running.wait(running.create_run(thread.id, RunRequest(assistant_id=assistant.id)))
        assert run.status == "completed"
        said += [f"Number {number}", f"You said: Number {number}"]
        runs.append(run.id)
        assert text_of(asking.messages(thread.id, limit=1).data[0]) == said[-1]
    for client in site.clients:
        assert texts(client, thread.id, SortOrder.ASC) == said
        assert texts(client, thread.id, SortOrder.DESC) == said[::-1]
        assert [run.id for run in client.runs(thread.id)] == runs[::-1]
    page = first.messages(thread.id, limit=5, order=SortOrder.ASC)
    rest = second.messages(thread.id, limit=100, order=SortOrder.ASC, after=page.data[-1].id)
    assert [text_of(message) for message in (*page.data, *rest.data)] == said
    back = second.messages(thread.id, limit=100, order=SortOrder.ASC, before=page.data[-1].id)
    assert [text_of(message) for message in back.data] == said[:4]


def test_messages_that_wait_join_in_their_order(site: Site) -> None:
    first, second = site.clients
    assistant = first.create_assistant(AssistantRequest(model="any"))
    thread = second.create_thread()
    said = list[str]()
    runs = []
    for number in range(ROUNDS):
        client = site.clients[number % 2]
        message = MessageRequest(role="user", content=f"Number {number}")
        request = RunRequest(assistant_id=assistant.id, on_busy="enqueue", additional_messages=[message])
        runs.append(client.create_run(thread.id, request))
        said += [f"Number {number}", f"You said: Number {number}"]
    for run in runs:
        assert first.wait(run).status == "completed"
    assert texts(second, thread.id, SortOrder.ASC) == said
    assert [run.id for run in second.runs(thread.id, order=SortOrder.ASC)] == [run.id for run in runs]


def test_times_are_those_of_the_database_whatever_the_machines_say(tmp_path: Path) -> None:
    clocks = cycle(MACHINES_WRONG)
    right = SystemClock()  # the database runs on this machine
    with (
        cluster(tmp_path, script=SCRIPT, clocks=lambda: next(clocks)) as here,
        runstead.connect(here.urls[0]) as client,
    ):
        before = int(right.time())
        assistant = client.create_assistant(AssistantRequest(model="any"))
        thread = client.create_thread()
        client.create_message(thread.id, MessageRequest(role="user", content="Hi"))
        run = client.wait(client.create_run(thread.id, RunRequest(assistant_id=assistant.id, expires_after=30)))
        after = int(right.time()) + 1
        assert run.status == "completed"
        shown = [assistant.created_at, thread.created_at, run.created_at, run.started_at, run.completed_at]
        shown += [message.created_at for message in client.messages(thread.id)]
    assert all(at is not None and before - CLOSE <= at <= after + CLOSE for at in shown), (before, shown, after)
