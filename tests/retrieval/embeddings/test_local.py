"""The embedded model: its processes, their deaths, and the quality of its vectors."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from runstead.retrieval.embeddings.local.frames import encode_texts, framed
from runstead.retrieval.embeddings.local.model import LocalEmbeddings
from runstead.retrieval.embeddings.local.process import ModelProcess
from runstead.retrieval.embeddings.port import EmbeddingError, Vectors
from tests.support.waiting import until, within

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "sk-of-the-parent"
STARTS_WITHIN = 50.0
"""Seconds, on a machine with other work."""
RELATED = [
    ("How long until I get my money back?", "Refunds are paid within fourteen days after the parcel has arrived."),
    ("Is home office allowed here?", "Employees may work from home on up to three days a week."),
    ("How do I restore the factory settings?", "To reset the device, hold the power button for ten seconds."),
    ("Do kids need a ticket?", "Children under twelve travel free of charge with an adult."),
    ("How cold must the vaccine be kept?", "The vaccine is stored between two and eight degrees Celsius."),
    ("What are the rules for login secrets?", "Passwords must contain at least twelve characters."),
    ("May I take my bike on a train?", "Bicycles can be carried on regional trains outside the rush hour."),
    ("Do marine mammals have lungs?", "Whales breathe air and must come to the surface regularly."),
    ("Wie wird der Vorsitzende gewählt?", "Der Ausschuss wählt seinen Vorsitz geheim auf zwei Jahre."),
    ("Wie kündige ich meine Wohnung?", "Der Mieter kündigt schriftlich drei Monate vor dem Auszug."),
    ("¿Cuándo abre la biblioteca?", "The library opens at nine in the morning from Monday to Friday."),
    ("猫は魚が好きですか。", "Cats love to eat fish."),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def embeddings() -> AsyncIterator[LocalEmbeddings]:
    adapter = LocalEmbeddings()
    yield adapter
    await adapter.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process() -> AsyncIterator[ModelProcess]:
    """A process that tests share, because a start takes a second. Some of them end it."""
    shared = ModelProcess("shared", niceness=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        await shared.embed(["text"])
    yield shared
    await shared.stop()


def begun(work: Coroutine[Any, Any, Vectors]) -> asyncio.Task[Vectors]:
    return asyncio.get_running_loop().create_task(work)


async def test_related_texts_are_closer_than_unrelated_ones(embeddings: LocalEmbeddings) -> None:
    questions, passages = (list(side) for side in zip(*RELATED, strict=True))
    similar = (await embeddings.embed(questions, purpose="query")) @ (
        await embeddings.embed(passages, purpose="query")
    ).T
    assert similar.argmax(axis=1).tolist() == list(range(len(RELATED)))


async def test_letters_with_accents_are_the_same_composed_and_decomposed(embeddings: LocalEmbeddings) -> None:
    composed, decomposed = await embeddings.embed(["caf\u00e9 na\u00efve", "cafe\u0301 nai\u0308ve"], purpose="query")
    assert np.allclose(composed, decomposed, atol=1e-5)


async def test_a_query_is_answered_while_documents_wait(embeddings: LocalEmbeddings) -> None:
    await embeddings.embed(["warm"], purpose="document")
    documents = embeddings._processes["document"]
    assert documents.pid is not None
    os.kill(documents.pid, signal.SIGSTOP)
    waiting = begun(embeddings.embed(["a document"], purpose="document"))
    async with within():
        assert len(await embeddings.embed(["a query"], purpose="query")) == 1
        assert not waiting.done()
        os.kill(documents.pid, signal.SIGCONT)
        assert len(await waiting) == 1


async def test_the_process_has_a_low_priority_and_none_of_the_keys(process: ModelProcess) -> None:
    assert process.pid is not None
    assert KEY.encode() not in Path(f"/proc/{process.pid}/environ").read_bytes()
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == os.getpriority(os.PRIO_PROCESS, 0) + 5


async def test_a_cancelled_batch_leaves_no_answer_for_the_next_one(process: ModelProcess) -> None:
    starts = process.starts
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    cancelled = begun(process.embed(["first"] * 3))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    next_one = begun(process.embed(["second"]))
    os.kill(process.pid, signal.SIGCONT)
    async with within():
        assert (await next_one).shape == (1, 512)
    assert process.starts == starts


async def test_a_death_in_a_batch_is_followed_by_another_attempt(process: ModelProcess) -> None:
    before, starts = await process.embed(["text"]), process.starts
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    running = begun(process.embed(["text"]))
    await asyncio.sleep(0)
    os.kill(process.pid, signal.SIGKILL)
    async with within(STARTS_WITHIN):
        assert np.array_equal(await running, before)
    assert process.starts == starts + 1


async def test_a_second_death_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    process = ModelProcess("dying", niceness=0)
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(EmbeddingError, match=r"process of the embedding model .* \(2 attempts\)") as raised:
        await process.embed(["text"])
    assert not raised.value.permanent
    assert process.starts == 2


async def test_stopping_fails_the_batch_and_ends_the_process() -> None:
    process = ModelProcess("stopped", niceness=0)
    await process.embed(["text"])
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    running = begun(process.embed(["text"]))
    await asyncio.sleep(0)
    await process.stop()
    with pytest.raises(EmbeddingError, match="stopped"):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(EmbeddingError, match="stopped"):
        await process.embed(["text"])


PARENT = """
import asyncio
from runstead.retrieval.embeddings.local.process import ModelProcess

async def main():
    one, other = ModelProcess("one", niceness=5), ModelProcess("other", niceness=0)
    await asyncio.gather(one.embed(["text"]), other.embed(["text"]))
    print(one.pid, other.pid, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


async def test_the_processes_end_when_their_parent_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    children = [Path("/proc") / pid.decode() for pid in (await parent.stdout.readline()).split()]
    assert [is_running(child) for child in children] == [True, True]
    parent.kill()
    await parent.communicate()
    await until(lambda: not any(is_running(child) for child in children))


def is_running(child: Path) -> bool:
    """Whether a process is alive. One that has ended may wait for whatever adopted it."""
    try:
        return (child / "stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


async def test_the_process_ends_with_its_input(process: ModelProcess) -> None:
    await process.embed(["text"])
    assert process._process is not None
    assert process._process.stdin is not None
    process._process.stdin.close()  # as when the parent dies
    async with within():
        assert await process._process.wait() == 0


def _orphan(request: bytes) -> tuple[int, bytes]:
    """What a process that nothing reads from ends with, and logs."""
    command = [sys.executable, "-m", "runstead.retrieval.embeddings.local.child", "0", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as child:
        assert child.stdout is not None
        child.stdout.close()
        _, log = child.communicate(request)
    return child.returncode, log


async def test_a_killed_parent_gets_no_traceback_into_its_log() -> None:
    assert await asyncio.to_thread(_orphan, framed(encode_texts(["a text"]))) == (0, b"")
