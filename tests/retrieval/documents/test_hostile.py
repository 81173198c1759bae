"""Whatever is in a file, it ends as a document or as an error in words, and the next file is read."""

import asyncio
from collections import Counter
from pathlib import Path

from runstead.retrieval.documents.messages import ParseLimits
from runstead.retrieval.documents.port import MAX_CHARACTERS, MAX_LABEL, Document, DocumentError
from runstead.retrieval.documents.reader import ConfinedReader
from runstead.retrieval.documents.refusal import Reason, document_error
from runstead.retrieval.documents.text_builder import clean
from tests.support.hostile_documents import broken, hostile, samples

LIMITS = ParseLimits(cpu_seconds=1, wall_seconds=60, memory=700 << 20)
WORDS = {(error.code, error.message) for error in map(document_error, Reason)}


async def test_at_least_300_hostile_files_end_as_documents_or_clear_errors(tmp_path: Path) -> None:
    files = [*broken(), *hostile()]
    assert len(files) >= 300
    reader = ConfinedReader(processes=2, limits=LIMITS)
    await reader.start()
    started = [process.pid for process in reader._processes]
    queue = list(enumerate(files))
    outcomes: Counter[str] = Counter()

    async def work() -> None:
        while queue:
            number, (name, data) = queue.pop()
            path = tmp_path / f"{number}"
            path.write_bytes(data)
            outcomes[await outcome(reader, path, name)] += 1
            path.unlink()

    await asyncio.gather(work(), work())
    assert outcomes.total() == len(files)
    assert set(outcomes) == {"document", "invalid_file", "unsupported_file"}
    assert [process.pid for process in reader._processes] == started  # no document ended more than its own process
    for name, data in samples().items():
        path = tmp_path / "sample"
        path.write_bytes(data)
        assert (await reader.read(path, name)).text
    await reader.stop()


async def outcome(reader: ConfinedReader, path: Path, name: str) -> str:
    try:
        document = await reader.read(path, name)
    except DocumentError as error:
        return error.code if (error.code, error.message) in WORDS else f"{name}: {error.message}"
    check(document, name)
    return "document"


def check(document: Document, name: str) -> None:
    assert 0 < len(document.text) <= MAX_CHARACTERS, name
    assert document.text.strip(), name
    assert clean(document.text) == document.text, name
    starts = [place.start for place in document.places]
    assert starts == sorted(starts), name
    assert all(0 <= start < len(document.text) for start in starts), name
    assert all(len(place.label) <= MAX_LABEL for place in document.places), name
