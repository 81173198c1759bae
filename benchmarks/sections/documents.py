"""How fast are documents read and cut into chunks, on one core? Each format has about a megabyte of text."""

import random
import tempfile
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TypeVar

from benchmarks.plan import Plan
from benchmarks.report import Findings
from benchmarks.targets import WrongAnswer
from runstead.retrieval.chunking import chunks
from runstead.retrieval.documents.parse import parse
from runstead.retrieval.documents.port import Document
from runstead.retrieval.documents.reader import ConfinedReader
from tests.support.documents import Block, Cell, Heading, Slide, Table, docx, epub, pdf, pptx, rtf, xlsx

SECTIONS = 150
PARAGRAPHS = 10
SENTENCES = 8
WORDS = (
    "the of a pump valve pressure water number every system after before measures opens when slowly filter flow engine "
    "temperature between connected report maintenance year quality operator"
)
SMALL_FILES = 20

T = TypeVar("T")


async def measure(plan: Plan) -> Findings:
    found = Findings(
        "Documents: read and cut into chunks, on one core",
        ("", "file, MB", "text, MB", "read, MB of text/s", "chunks/s", "cut, MB of text/s"),
    )
    slowest = float("inf")
    for name, data in documents().items():
        seconds, document = timed(plan.rounds, partial(read, name, data))
        cutting, cut = timed(plan.rounds, partial(count_chunks, document))
        size = len(document.text.encode()) / 1e6
        if "every" not in document.text:
            raise WrongAnswer(f"{name} was not read")
        slowest = min(slowest, cut / cutting)
        found.row(name, len(data) / 1e6, size, size / seconds, cut / cutting, size / cutting)
    found.at_least("chunks per second and core", slowest, 1000)
    alone = await small_file()
    found.row("a small file in a process of its own, ms", "", "", alone * 1e3, "", "")
    found.at_most("a small file takes at most 50 ms in a process of its own", alone * 1e3, 50, " ms")
    return found


def read(name: str, data: bytes) -> Document:
    return parse(BytesIO(data), Path(name).suffix)


def count_chunks(document: Document) -> int:
    return sum(1 for _ in chunks(document))


def timed(rounds: int, work: Callable[[], T]) -> tuple[float, T]:
    """The least processor time of several rounds, and the result."""
    times = []
    result = work()
    for _ in range(rounds):
        started = process_time()
        work()
        times.append(process_time() - started)
    return min(times), result


async def small_file() -> float:
    """The median time to read a small file, from the call to the document."""
    reader = ConfinedReader(processes=1)
    await reader.start()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(docx(Heading("Pumps"), "A paragraph."))
        times = []
        for _ in range(SMALL_FILES):
            started = perf_counter()
            await reader.read(path, "a.docx")
            times.append(perf_counter() - started)
    await reader.stop()
    return median(times)


def documents() -> dict[str, bytes]:
    """The same text in each format."""
    chosen = random.Random(1)
    sections = [[_paragraph(chosen) for _ in range(PARAGRAPHS)] for _ in range(SECTIONS)]
    table = Table([["Number", "Name"], *([str(n), _paragraph(chosen)[:80]] for n in range(50))])
    blocks: list[Block] = []
    for number, paragraphs in enumerate(sections):
        blocks += [Heading(f"Section {number}"), *paragraphs, *([table] if number % 10 == 0 else [])]
    rows: list[list[Cell]] = [[n, p, n * 1.5] for n, p in enumerate(p for section in sections for p in section)]
    pages = ["\n".join(map(_lines, half)) for section in sections for half in (section[:5], section[5:])]
    html = "".join(f"<h2>{n}</h2>" + "".join(f"<p>{p}</p>" for p in section) for n, section in enumerate(sections))
    text = "\n\n".join(f"## Section {n}\n\n" + "\n\n".join(section) for n, section in enumerate(sections))
    return {
        "a.txt": text.encode(),
        "a.md": text.encode(),
        "a.html": f"<html><body>{html}".encode(),
        "a.csv": "\n".join(f'{n},"{p}",{x}' for n, p, x in rows).encode(),
        "a.pdf": pdf(*pages),
        "a.docx": docx(*blocks),
        "a.pptx": pptx(*(Slide(f"Slide {n}", *section) for n, section in enumerate(sections))),
        "a.xlsx": xlsx({"Rows": rows}),
        "a.epub": epub("Book", *(f"<h1>{n}</h1>" + "".join(f"<p>{p}</p>" for p in s) for n, s in enumerate(sections))),
        "a.rtf": rtf(*blocks),
    }


def _paragraph(chosen: random.Random) -> str:
    return " ".join(_sentence(chosen) for _ in range(SENTENCES))


def _sentence(chosen: random.Random) -> str:
    return f"{' '.join(chosen.choices(WORDS.split(), k=chosen.randint(6, 18))).capitalize()}."


def _lines(paragraph: str) -> str:
    """The paragraph in lines, as a page shows it."""
    return "\n".join(paragraph[at : at + 90] for at in range(0, len(paragraph), 90))
