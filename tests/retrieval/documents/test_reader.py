"""Documents that take over their process reach nothing, and cost their file only."""

import asyncio
import os
import select
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runstead.retrieval.documents.messages import ParseLimits
from runstead.retrieval.documents.port import DocumentError
from runstead.retrieval.documents.reader import ConfinedReader
from tests.support.documents import docx, pdf

LIMITS = ParseLimits(cpu_seconds=1, wall_seconds=20, memory=256 << 20)
OUT_OF_LIMITS = ("invalid_file", "The file could not be read within its limits.")


@pytest.fixture
async def rogue() -> AsyncIterator[ConfinedReader]:
    reader = ConfinedReader(processes=1, limits=LIMITS, module="tests.support.rogue_parser")
    await reader.start()
    yield reader
    await reader.stop()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("Hello")
    return path


async def refused(reader: ConfinedReader, file: Path, name: str) -> tuple[str, str]:
    with pytest.raises(DocumentError) as error:
        await reader.read(file, name)
    return error.value.code, error.value.message


async def test_documents_that_break_their_process_are_refused(
    rogue: ConfinedReader, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One process serves all of them: each is refused in words, its cause is in the log, and the next one is read."""
    causes = {
        ".loops": "SIGXCPU",
        ".eats": "MemoryError",
        ".crashes": "ends early",
        ".silent": "ends early",
        ".noise": "a frame of",
        ".huge": "a frame of",
        ".json": "",
        ".endless": "no parser writes",
        ".control": "no parser writes",
        ".surrogate": "utf-8",
        ".short": "contradicts itself",
        ".invents": "",
        ".lies": "",
    }
    for suffix, cause in causes.items():
        caplog.clear()
        assert await refused(rogue, file, f"name{suffix}") == OUT_OF_LIMITS, suffix
        assert cause.casefold() in str(vars(caplog.records[-1])["cause"]).casefold(), suffix
        assert (await rogue.read(file, "name.fine")).text == "Hello", suffix


async def test_a_document_reaches_no_file_no_network_and_no_process(rogue: ConfinedReader, file: Path) -> None:
    if not rogue._processes[0].confined:
        pytest.skip("system calls cannot be filtered here")
    *attempts, descriptors, environment = (await rogue.read(file, "a.tries")).text.splitlines()
    assert [line for line in attempts if not line.endswith(" PermissionError")] == []
    assert len(attempts) == 9
    assert len(descriptors.split(",")) == 5  # input, output, errors, the file and the answer
    assert set(environment.removeprefix("environment ").split(",")) <= {"LC_CTYPE", "PYTHONPATH"}


async def test_time_limit_ends_a_process(file: Path) -> None:
    limits = ParseLimits(cpu_seconds=30, wall_seconds=0.2, memory=LIMITS.memory)
    reader = ConfinedReader(processes=1, limits=limits, module="tests.support.rogue_parser")
    await reader.start()
    first = reader._processes[0].pid
    assert await refused(reader, file, "a.loops") == OUT_OF_LIMITS
    assert not alive(first)
    assert (await reader.read(file, "a.fine")).text == "Hello"
    await reader.stop()


async def test_a_cancelled_read_ends_its_process_and_frees_its_place(rogue: ConfinedReader, file: Path) -> None:
    reading = asyncio.ensure_future(rogue.read(file, "a.loops"))  # noqa: TID251 (cancelled below)
    waiting = asyncio.ensure_future(rogue.read(file, "a.fine"))  # noqa: TID251 (awaited below)
    await asyncio.sleep(0)
    process = rogue._processes[0].pid
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (await waiting).text == "Hello"
    assert not alive(process)


async def test_stop_interrupts_reading_and_later_reads_are_refused(file: Path) -> None:
    reader = ConfinedReader(processes=1, limits=LIMITS, module="tests.support.rogue_parser")
    await reader.start()
    process = reader._processes[0].pid
    reading = [asyncio.ensure_future(refused(reader, file, "a.loops")) for _ in range(2)]  # noqa: TID251 (awaited below)
    await asyncio.sleep(0)
    await reader.stop()
    results = [*await asyncio.gather(*reading), await refused(reader, file, "a.fine")]
    assert {code for code, _ in results} == {"server_error"}
    assert not alive(process)


async def test_a_killed_process_is_replaced(rogue: ConfinedReader, file: Path) -> None:
    process = rogue._processes[0]._process
    assert process
    process.kill()
    process.wait()
    assert (await rogue.read(file, "a.fine")).text == "Hello"


def test_a_killed_server_leaves_no_process_behind(file: Path) -> None:
    """Not even one that reads an endless document: its limits end it."""
    program = (
        "import asyncio, sys; from pathlib import Path\n"
        "from runstead.retrieval.documents.reader import ConfinedReader\n"
        "from tests.retrieval.documents.test_reader import LIMITS\n"
        "async def main():\n"
        "    reader = ConfinedReader(processes=1, limits=LIMITS, module='tests.support.rogue_parser')\n"
        "    await reader.start()\n"
        "    print(reader._processes[0].pid, flush=True)\n"
        "    await reader.read(Path(sys.argv[1]), 'a.loops')\n"
        "asyncio.run(main())\n"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen([sys.executable, "-c", program, file], stdout=subprocess.PIPE, env=environment)
    with server:
        assert server.stdout
        fork_server = os.pidfd_open(int(server.stdout.readline()))
        server.kill()
    ended, _, _ = select.select([fork_server], [], [], 30)
    os.close(fork_server)
    assert ended


async def test_a_missing_file_is_a_failure_of_the_server(rogue: ConfinedReader, file: Path) -> None:
    code, message = await refused(rogue, file.with_name("missing"), "a.fine")
    assert (code, "on the server" in message) == ("server_error", True)


async def test_documents_are_read_at_once_and_names_are_only_names(tmp_path: Path) -> None:
    reader = ConfinedReader()
    await reader.start()
    path = tmp_path / "file"
    path.write_bytes(docx("Text"))
    other = tmp_path / "other"
    other.write_bytes(pdf("Text"))
    names = [
        "a.docx",
        "../../etc/passwd",
        "a\0.pdf",
        "x" * 4000,
        "",
        ".",
        "a/b\\c.PDF",
        "名前.docx",
        "😀" * 2000,
        "a. pdf",
    ]
    found = await asyncio.gather(*(reader.read(place, name) for name in names for place in (path, other)))
    assert [document.text for document in found] == ["Text"] * 2 * len(names)
    await reader.stop()


async def test_a_process_that_cannot_start_is_a_failure_of_the_server(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reader = ConfinedReader(processes=1, module="tests.support.no_such_module")
    await reader.start()
    assert "could be started" in caplog.text
    assert (await refused(reader, file, "a.txt"))[0] == "server_error"
    await reader.stop()


def alive(process: int | None) -> bool:
    assert process is not None
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
