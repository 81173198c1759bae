"""Programs that are interrupted, or exit without closing the engine."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runstead import Status
from tests.embedded.conftest import Opener
from tests.support.waiting import PATIENCE

PROGRAM = """
import logging
import sys
import runstead
from runstead import AssistantRequest, MessageRequest, RunRequest, ThreadRequest
from runstead.llm.scripted import Gate
from runstead.llm.scripted import ScriptedModel

logging.getLogger("asyncio").setLevel(logging.ERROR)  # `-X dev` warns of what is slow on a busy machine, too
rs = runstead.open(sys.argv[1], model=ScriptedModel([["Once ", "upon ", Gate(), "a time."]]))
assistant = rs.create_assistant(AssistantRequest(model="any"))
thread = rs.create_thread(ThreadRequest(messages=[MessageRequest(role="user", content="Hi")]))
stream = rs.create_streaming_run(thread.id, RunRequest(assistant_id=assistant.id))
for event in stream:
    if event.event == "thread.message.delta":
        break
print(thread.id, stream.run.id, flush=True)
"""
LEAVES = PROGRAM
RAISES = PROGRAM + "\nraise SystemExit(3)"
READS_ON = PROGRAM + "\nstream.drained()"
WAITS = PROGRAM + "\nrs.wait(stream.run, timeout=100)"
READS_ON_AND_CLOSES = PROGRAM + "\nwith rs, stream:\n    stream.drained()"


def start(program: str, database: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-X", "dev", "-c", program, str(database)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("program", "code"), [(LEAVES, 0), (RAISES, 3)])
def test_a_program_that_exits_without_closing_releases_its_runs(
    program: str, code: int, database: Path, open_engine: Opener
) -> None:
    with start(program, database) as process:
        said, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (code, "")
    thread_id, run_id = said.split()
    with open_engine(["Once upon a time."]) as client:
        assert client.wait(client.get_run(thread_id, run_id), timeout=PATIENCE).status is Status.COMPLETED
        texts = [message.content[0].text.value for message in client.messages(thread_id)]  # type: ignore[union-attr]
        assert texts == ["Once upon a time.", "Once upon ", "Hi"]


@pytest.mark.parametrize("program", [READS_ON, WAITS, READS_ON_AND_CLOSES])
def test_a_waiting_program_can_be_interrupted(program: str, database: Path, open_engine: Opener) -> None:
    with start(program, database) as process:
        assert process.stdout is not None
        thread_id, run_id = process.stdout.readline().split()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in errors.splitlines()
    assert errors.count("Traceback") == 1, errors
    with open_engine(["Once upon a time."]) as client:
        assert client.wait(client.get_run(thread_id, run_id), timeout=PATIENCE).status is Status.COMPLETED
