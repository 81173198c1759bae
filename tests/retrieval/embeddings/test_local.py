"""The embedded model: its processes, their deaths, and what its vectors are good for."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from runstead.retrieval.embeddings.local.model import LocalEmbeddings
from runstead.retrieval.embeddings.local.process import ModelProcess
from runstead.retrieval.embeddings.port import EmbeddingError, Vectors
from tests.support.waiting import within

pytestmark = pytest.mark.asyncio(loop_scope="module")

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


@pytest_asyncio.fixture(loop_scope="module")
async def process() -> AsyncIterator[ModelProcess]:
    alone = ModelProcess("alone", niceness=5)
    yield alone
    await alone.stop()


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


async def test_a_death_in_a_batch_is_followed_by_another_attempt(process: ModelProcess) -> None:
    before = await process.embed(["text"])
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    running = begun(process.embed(["text"]))
    await asyncio.sleep(0)
    os.kill(process.pid, signal.SIGKILL)
    async with within():
        assert np.array_equal(await running, before)
    assert process.starts == 2


async def test_a_second_death_is_an_error_that_says_so(process: ModelProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(EmbeddingError, match=r"process of the embedding model .* \(2 attempts\)") as raised:
        await process.embed(["text"])
    assert not raised.value.permanent
    assert process.starts == 2


async def test_a_cancelled_batch_leaves_no_answer_for_the_next_one(process: ModelProcess) -> None:
    await process.embed(["text"])
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
    assert process.starts == 1


async def test_the_process_has_none_of_the_keys(process: ModelProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    await process.embed(["text"])
    assert b"sk-secret" not in Path(f"/proc/{process.pid}/environ").read_bytes()


async def test_stopping_fails_the_batch_and_ends_the_process(process: ModelProcess) -> None:
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


async def test_the_process_ends_with_its_input_and_has_a_low_priority(process: ModelProcess) -> None:
    await process.embed(["text"])
    assert process.pid is not None
    assert process._process is not None
    assert process._process.stdin is not None
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == os.getpriority(os.PRIO_PROCESS, 0) + 5
    process._process.stdin.close()  # as when the parent dies
    async with within():
        assert await process._process.wait() == 0
