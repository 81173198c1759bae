"""Does a search find the passage that answers a question? Recall and rank over `benchmarks/corpus`."""

import asyncio
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, convert

import runstead
from benchmarks.plan import Plan
from benchmarks.report import Findings
from runstead.client import AsyncClient
from runstead.wire.chunking import StaticChunkingRequest, StaticSizes
from runstead.wire.hybrid import HybridWeights
from runstead.wire.search import SearchRanking, SearchRequest
from runstead.wire.vector_store import FileBatchRequest, VectorStoreRequest

CORPUS = Path(__file__).parents[1] / "corpus"
CHUNKING = StaticChunkingRequest(static=StaticSizes(max_chunk_size_tokens=100, chunk_overlap_tokens=20))
"""Small chunks, because a document of the corpus has a page at most: with large ones every document is one chunk."""
MODES = {
    "words": HybridWeights(embedding_weight=0, text_weight=1),
    "meaning": HybridWeights(embedding_weight=1, text_weight=0),
    "both": HybridWeights(),
}
RESULTS = 10
GOAL_RECALL = 0.8


class Question(Struct, frozen=True):
    """A question, and the passage that answers it."""

    text: str
    document: str
    passage: str
    kind: str
    language: str


class Quality(NamedTuple):
    """The rank of the first right result of each question, 0 where there is none."""

    ranks: list[int]

    @property
    def recall(self) -> float:
        """The share of questions whose passage is among the first five results."""
        return sum(1 for rank in self.ranks if 0 < rank <= 5) / len(self.ranks)

    @property
    def mrr(self) -> float:
        """The mean of one over the rank of the first right result."""
        return sum(1 / rank for rank in self.ranks if rank) / len(self.ranks)


async def measure(plan: Plan) -> Findings:
    questions = convert(tomllib.loads((CORPUS / "questions.toml").read_text())["question"], list[Question])
    async with runstead.open_async(plan.disk / "quality.db") as client:
        store_id = await indexed(client, sorted((CORPUS / "documents").iterdir()))
        found = {mode: await ranks(client, store_id, questions, weights) for mode, weights in MODES.items()}
    return _findings(questions, found)


async def indexed(client: AsyncClient, documents: Iterable[Path]) -> str:
    """A vector store with the documents, once they can be searched."""
    store = await client.create_vector_store(VectorStoreRequest())
    files = [await client.upload_file(document) for document in documents]
    request = FileBatchRequest(file_ids=[file.id for file in files], chunking_strategy=CHUNKING)
    async with asyncio.timeout(300):
        await client.wait_for_file_batch(await client.create_file_batch(store.id, request))
    return store.id


async def ranks(
    client: AsyncClient, store_id: str, questions: Iterable[Question], weights: HybridWeights
) -> dict[Question, int]:
    """The rank of each question's passage."""
    ranking = SearchRanking(hybrid_search=weights)
    found: dict[Question, int] = {}
    for question in questions:
        request = SearchRequest(query=question.text, max_num_results=RESULTS, ranking_options=ranking)
        page = await client.search_vector_store(store_id, request)
        texts = [(each.filename, " ".join(each.content[0].text.split())) for each in page.data]
        right = (document == question.document and question.passage in text for document, text in texts)
        found[question] = next((rank for rank, hit in enumerate(right, 1) if hit), 0)
    return found


def _findings(questions: Iterable[Question], found: Mapping[str, Mapping[Question, int]]) -> Findings:
    groups: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        for name in ("all", question.kind, {"en": "English", "de": "German"}[question.language]):
            groups[name].append(question)
    columns = [f"{mode}: {figure}" for mode in MODES for figure in ("recall@5", "MRR")]
    findings = Findings("Quality of search", ("questions", "number", *columns))
    for name, group in groups.items():
        qualities = [Quality([found[mode][question] for question in group]) for mode in MODES]
        findings.row(name, len(group), *(figure for each in qualities for figure in (each.recall, each.mrr)))
    best = Quality(list(found["both"].values()))
    findings.at_least("recall@5 of both together", best.recall, GOAL_RECALL)
    findings.note = "A result counts if it contains the whole passage that answers the question."
    return findings
