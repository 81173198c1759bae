"""A run in two parts is the same run, byte for byte."""

import msgspec
import pytest
from msgspec.structs import replace

from runstead.wire.codec.run_parts import (
    STATE,
    Settings,
    encode_full_state,
    encode_settings,
    encode_state,
    joined,
    state_of,
)
from runstead.wire.run import LastError, Run, Status, Usage
from runstead.wire.tool import Function, FunctionTool

encode = msgspec.json.encode

NEW = Run(
    id="run_1", created_at=1, thread_id="thread_1", assistant_id="asst_1", status=Status.QUEUED, model="m",
    instructions='"Brief", ü', tools=[FunctionTool(function=Function(name="weather"))], metadata={"a": "ü"},
)  # fmt: skip
ERROR = LastError(code="server_error", message="No.")
RUNS = [
    NEW,
    replace(NEW, max_total_tokens=7, max_seconds=9, metadata={}),
    replace(
        NEW, status=Status.FAILED, started_at=2, failed_at=3, last_error=LastError(code="server_error", message="No.")
    ),
    replace(NEW, status=Status.COMPLETED, completed_at=3, usage=Usage(total_tokens=5), instructions=None),
]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.status)
def test_both_parts_make_the_whole(run: Run) -> None:
    settings = Settings(encode_settings(run))
    assert settings.whole(encode_state(run)) == encode(run)
    assert settings.whole(encode_full_state(run)) == encode(run)
    assert msgspec.json.decode(joined(encode_settings(run), encode_full_state(run)), type=Run) == run


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.status)
def test_a_run_stored_whole_is_read(run: Run) -> None:
    assert Settings(b"{}").whole(encode(run)) == encode(run)
    assert msgspec.json.decode(joined(None, encode(run)), type=Run) == run
    assert state_of(encode(run)) == encode_full_state(run)
    before = encode(replace(RUNS[2], tools=run.tools, instructions=run.instructions))
    budgets = {"max_total_tokens": run.max_total_tokens, "max_seconds": run.max_seconds}
    before = encode(replace(msgspec.json.decode(before, type=Run), **budgets))
    assert Settings(before).whole(encode_state(run)) == encode(run), "settings that are a whole run of another state"
    assert msgspec.json.decode(joined(before, encode_full_state(run)), type=Run) == run


def test_fields_of_a_newer_version_come_last() -> None:
    settings = Settings(encode({**msgspec.json.decode(encode_settings(NEW)), "newer": 1}))
    state = encode({**msgspec.json.decode(encode_state(NEW)), "newest": 2})
    assert settings.whole(state) == encode({**msgspec.to_builtins(NEW), "newer": 1, "newest": 2})
    assert settings.whole(encode_state(NEW)) == encode({**msgspec.to_builtins(NEW), "newer": 1})


def test_a_state_has_no_settings() -> None:
    assert not msgspec.json.decode(encode_state(NEW)).keys() - set(STATE)
    assert not msgspec.json.decode(encode_settings(NEW)).keys() & set(STATE)
