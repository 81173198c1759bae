"""A walk through random lives of a run: whatever happens to it, in whatever order, the rules of its life hold."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from runstead.domain.access import DEFAULT_PROJECT
from runstead.domain.chat.assembly import function_call
from runstead.domain.invariants import violations
from runstead.domain.invariants.record import EventBatch, RunRecord
from runstead.domain.run import call_step, message_step, transitions, usage
from runstead.domain.run.change import Change, run_event
from runstead.domain.run.deadline import deadline
from runstead.domain.run.journal import Call, CallStatus, OpenWork, StepRow
from runstead.domain.run.lifecycle import TRANSITIONS, Refused, Signal
from runstead.domain.run.next_move import Reply
from runstead.wire.codec.run_parts import Settings, encode_settings
from runstead.wire.content import Text, TextPart
from runstead.wire.event import EVENT_DATA, EventName, Position, RawEvent, decode_event
from runstead.wire.message import Message
from runstead.wire.run import IncompleteRun, LastError, Run, Status, Usage
from runstead.wire.run_step import (
    CodeInterpreter,
    CodeInterpreterCall,
    FileSearch,
    FileSearchCall,
    FunctionToolCall,
    ToolCall,
    ToolCallsDetails,
)
from tests.domain.things import run
from tests.support.reader import Reader

LIMITED = LastError(code="rate_limit_exceeded", message="Too many requests.")
BROKEN = LastError(code="invalid_prompt", message="Broken.")

# Fields that are set (1) or null (0) in each status. A field that is not listed may be either.
FIELDS = """
                 started expires completed cancelled failed required_action last_error incomplete usage
queued           ?       1       0         0         0      0               ?          0          0
in_progress      1       1       0         0         0      0               0          0          0
requires_action  1       1       0         0         0      1               0          0          0
cancelling       ?       1       0         0         0      0               0          0          0
completed        1       0       1         0         0      0               0          0          1
incomplete       ?       0       1         0         0      0               ?          1          1
cancelled        ?       0       0         1         0      0               0          0          1
failed           ?       0       0         0         1      0               1          0          1
expired          ?       1       0         0         0      0               ?          0          1
"""


def wanted() -> dict[Status, dict[str, str]]:
    head, *rows = FIELDS.strip().splitlines()
    columns = head.split()
    return {Status(row.split()[0]): dict(zip(columns, row.split()[1:], strict=True)) for row in rows}


WANTED = wanted()


def shown(run: Run) -> dict[str, Any]:
    return {
        "started": run.started_at,
        "expires": run.expires_at,
        "completed": run.completed_at,
        "cancelled": run.cancelled_at,
        "failed": run.failed_at,
        "required_action": run.required_action,
        "last_error": run.last_error,
        "incomplete": run.incomplete_details,
        "usage": run.usage,
    }


TOOLS = st.sampled_from(["function", "file_search", "code_interpreter"])
ENDED: list[CallStatus] = ["completed", "failed", "interrupted"]


def id_and_output(call: Call) -> tuple[str, str | None]:
    return call.id, call.output


def tool_call(call: Call) -> ToolCall:
    """A call, as its step shows it."""
    match call.tool:
        case "file_search":
            return FileSearchCall(id=call.id, file_search=FileSearch(ranking_options={}))
        case "code_interpreter":
            return CodeInterpreterCall(id=call.id, code_interpreter=CodeInterpreter(input=call.arguments))
        case _:
            return function_call(call)


def took(tokens: int) -> Usage:
    return Usage(prompt_tokens=tokens, completion_tokens=1, total_tokens=tokens + 1)


class Lives(RuleBasedStateMachine):
    """One run, its steps and messages as a store would keep them, and a reader of its events."""

    @initialize()
    def create(self) -> None:
        self.now = 100
        self.run = run(status=Status.QUEUED, expires_at=700)
        self.steps: dict[str, StepRow] = {}
        self.messages: dict[str, Message] = {}
        self.open_work = OpenWork()
        self.attempts: dict[str, int] = {}
        self.reader = Reader()
        self.told: list[EventBatch] = []
        self.seq = 0
        self.made = 0
        self.ended = 0
        self._tell(Change(run=self.run, events=[run_event(self.run, EventName.RUN_CREATED), run_event(self.run)]))

    # Actions of a worker.

    @rule()
    def claim(self) -> None:
        self._try(Signal.CLAIM, lambda: transitions.claim(self.run, self.now, "worker"))

    @precondition(lambda self: self.run.status is Status.IN_PROGRESS and self.open_work == OpenWork())
    @rule()
    def open_message(self) -> None:
        self._commit(message_step.open_message(self.run, self._new("step"), self._new("msg"), self.now))

    @precondition(lambda self: self.run.status is Status.IN_PROGRESS and self._calls_may_open())
    @rule()
    def open_calls(self) -> None:
        change = call_step.open_calls(self.run, self._new("step"), self.now)
        if self.open_work.message is not None:
            closed = message_step.close_message(self.run, self.open_work, self.now, usage.NONE)
            change = transitions.combine(closed, change)
        self._commit(change)

    @precondition(lambda self: self.open_work.message is not None)
    @rule(text=st.text(max_size=3))
    def write(self, text: str) -> None:
        assert self.open_work.message is not None
        message = replace(self.open_work.message, content=[TextPart(text=Text(value=text))])
        self.open_work = OpenWork(self.open_work.row, message)

    @precondition(lambda self: self.open_work.message is not None)
    @rule(tokens=st.integers(0, 9))
    def complete(self, tokens: int) -> None:
        def decide() -> Change:
            closed = message_step.close_message(self.run, self.open_work, self.now, took(tokens))
            return transitions.combine(closed, transitions.complete(self.run, self.now, self._spent(tokens)))

        self._try(Signal.COMPLETE, decide)

    @precondition(lambda self: self.open_work.row is not None)
    @rule(tokens=st.integers(0, 9))
    def run_out(self, tokens: int) -> None:
        def decide() -> Change:
            if self.open_work.message is not None:
                closed = message_step.close_message(self.run, self.open_work, self.now, took(tokens), "max_tokens")
            else:
                closed = call_step.cut_calls(self.run, self.open_work, self.now, took(tokens))
            end = transitions.run_out(self.run, self.now, self._spent(tokens), "max_completion_tokens")
            return transitions.combine(closed, end)

        self._try(Signal.RUN_OUT, decide)

    @precondition(lambda self: self.open_work.row is not None and self.open_work.message is None)
    @rule(tools=st.lists(TOOLS, min_size=1, max_size=3), tokens=st.integers(0, 9))
    def call_too_much(self, tools: list[str], tokens: int) -> None:
        assert self.open_work.row is not None
        reply = self._reply([call.tool for call in self.open_work.row.calls] or tools, tokens)

        def decide() -> Change:
            refused = call_step.refuse_calls(self.run, self.open_work, reply, self.now)
            return transitions.combine(
                refused, transitions.run_out(self.run, self.now, self._spent(tokens), "max_tool_calls")
            )

        self._try(Signal.RUN_OUT, decide)

    @precondition(lambda self: self.open_work == OpenWork())
    @rule()
    def run_out_before_a_call(self) -> None:
        spent = usage.total(self.steps.values())
        self._try(Signal.RUN_OUT, lambda: transitions.run_out(self.run, self.now, spent, "max_prompt_tokens"))

    @precondition(lambda self: self._calls_are_open() and not self._server_has_calls())
    @rule(count=st.integers(1, 3), tokens=st.integers(0, 9))
    def ask_client(self, count: int, tokens: int) -> None:
        reply = self._reply(["function"] * count, tokens)
        self._try(Signal.ASK_CLIENT, lambda: call_step.ask(self.run, self.open_work, reply, self.now))

    @precondition(lambda self: self._calls_are_open() and self.run.status is Status.IN_PROGRESS)
    @precondition(lambda self: not self._server_has_calls())
    @rule(tools=st.lists(TOOLS, max_size=3), place=st.integers(0, 3), tokens=st.integers(0, 9))
    def ask_for_tools(self, tools: list[str], place: int, tokens: int) -> None:
        tools.insert(min(place, len(tools)), "file_search")
        self._commit(call_step.ask(self.run, self.open_work, self._reply(tools, tokens), self.now))

    @precondition(lambda self: self._a_tool_may_run())
    @rule()
    def start_a_call(self) -> None:
        assert self.open_work.row is not None
        for call in self.open_work.row.unfinished:
            if call.status == "asked":
                self._commit(call_step.start(self.run, self.open_work.row, call.id))
                return

    @precondition(lambda self: self._a_tool_may_run())
    @rule(which=st.integers(0, 3), status=st.sampled_from(ENDED), output=st.text(max_size=3))
    def finish_a_call(self, which: int, status: CallStatus, output: str) -> None:
        row = self.open_work.row
        assert row is not None
        call = row.unfinished[which % len(row.unfinished)]
        ended = replace(call, output=output, status=status, attempts=call.attempts + 1)
        before = set(map(id_and_output, row.calls))
        self._commit(call_step.finish(self.run, row, ended, tool_call(ended), self.now))
        after = set(map(id_and_output, self.steps[row.id].calls))
        assert after - before == {(call.id, output)}, "no other call is touched"

    # Actions of a client.

    @rule(output=st.text(max_size=3))
    def submit_outputs(self, output: str) -> None:
        action = self.run.required_action
        calls = action.submit_tool_outputs.tool_calls if action else []
        outputs = {call.id: output for call in calls}
        self._try(Signal.SUBMIT_OUTPUTS, lambda: call_step.submit_outputs(self.run, self.open_work, outputs, self.now))
        if self.run.status is Status.QUEUED and outputs:
            row = list(self.steps.values())[-1]
            assert isinstance(row.step.step_details, ToolCallsDetails)
            filled = [call for call in row.step.step_details.tool_calls if isinstance(call, FunctionToolCall)]
            assert [(call.id, call.function.output) for call in filled] == list(outputs.items())
            assert [(call.id, call.output) for call in row.calls if call.for_client] == list(outputs.items())
            assert (row.step.status, row.step.completed_at) == ("completed", self.now)

    @rule()
    def cancel(self) -> None:
        self._try(Signal.CANCEL, lambda: transitions.cancel(self.run, self.now))

    # Events at any time.

    @rule(signal=st.sampled_from([Signal.STOP, Signal.EXPIRE, Signal.RUN_OUT, Signal.FAIL, Signal.RECOVER]))
    def end(self, signal: Signal) -> None:
        error = BROKEN if signal is Signal.FAIL else None
        spent = usage.total(self.steps.values())
        self._try(signal, lambda: transitions.end(self.run, signal, self.open_work, self.now, spent, error))

    @rule(seconds=st.integers(1, 100))
    def delay(self, seconds: int) -> None:
        spent, cause, until = usage.total(self.steps.values()), LIMITED, self.now + seconds
        self._try(Signal.DELAY, lambda: transitions.delay(self.run, self.open_work, self.now, spent, cause, until))

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    # Invariants.

    @invariant()
    def the_fields_are_those_of_the_status(self) -> None:
        for field, value in shown(self.run).items():
            said = WANTED[self.run.status][field]
            assert said == "?" or (value is not None) == (said == "1"), (self.run.status, field, value)

    @invariant()
    def steps_and_messages_are_open_only_while_someone_may_close_them(self) -> None:
        open_steps = [row for row in self.steps.values() if row.step.status == "in_progress"]
        open_messages = [message for message in self.messages.values() if message.status == "in_progress"]
        assert [row.id for row in open_steps] == ([self.open_work.row.id] if self.open_work.row else [])
        assert [message.id for message in open_messages] == (
            [self.open_work.message.id] if self.open_work.message else []
        )
        if self.run.status.terminal:
            assert not open_steps
        if self.run.status is Status.QUEUED:
            assert all(row.unfinished for row in open_steps), "no more than the server's calls survive a worker"

    @invariant()
    def an_attempt_that_was_counted_stays_counted(self) -> None:
        for row in self.steps.values():
            for call in row.calls:
                assert call.attempts >= self.attempts.get(call.id, 0)
                self.attempts[call.id] = call.attempts

    @invariant()
    def a_step_shows_when_and_why_it_ended(self) -> None:
        for step in (row.step for row in self.steps.values()):
            times = {
                "completed": step.completed_at,
                "cancelled": step.cancelled_at,
                "failed": step.failed_at,
                "expired": step.expired_at,
            }
            assert [status for status, at in times.items() if at is not None] == (
                [] if step.status == "in_progress" else [step.status]
            )
            assert (step.last_error is not None) == (step.status == "failed")
            assert step.last_error is None or step.last_error.code != "invalid_prompt", "not a code of steps"
            assert step.status != "completed" or step.usage is not None
            assert (step.expires_at is not None) == (step.status in {"in_progress", "expired"})

    @invariant()
    def a_message_says_why_it_ends_before_its_end(self) -> None:
        for message in self.messages.values():
            assert (message.completed_at is not None) == (message.status == "completed")
            assert (message.incomplete_at is not None) == (message.status == "incomplete")
            assert (message.incomplete_details is not None) == (message.status == "incomplete")
            assert message.status != "incomplete" or message.content

    @invariant()
    def the_run_took_what_its_steps_took(self) -> None:
        if self.run.usage is not None:
            assert self.run.usage == usage.total(self.steps.values())

    @invariant()
    def a_checker_of_the_store_finds_nothing_wrong(self) -> None:
        at_work = self.run.status in {Status.IN_PROGRESS, Status.CANCELLING}
        kept = RunRecord(
            run=self.run,
            project=DEFAULT_PROJECT,
            last_event=self.seq,
            status=self.run.status,
            deadline=deadline(self.run),
            has_thread=True,
            owner="worker" if at_work else None,
            event_batches=self.told,
            steps=list(self.steps.values()),
            messages=[replace(message, metadata={"a": "b"}) for message in self.messages.values()],
        )
        # The text of an open message is in the worker's memory.
        assert violations(kept) == []

    @invariant()
    def the_end_comes_once(self) -> None:
        assert self.ended == int(self.run.status.terminal)

    def _reply(self, tools: list[str], tokens: int) -> Reply:
        calls = [Call(id=self._new("call"), name=tool, arguments="{}", tool=tool) for tool in tools]
        return Reply(calls=calls, shown=[tool_call(call) for call in calls], usage=took(tokens))

    def _calls_may_open(self) -> bool:
        return self.open_work == OpenWork() or self.open_work.message is not None

    def _calls_are_open(self) -> bool:
        return self.open_work.row is not None and self.open_work.message is None

    def _server_has_calls(self) -> bool:
        return self.open_work.row is not None and bool(self.open_work.row.unfinished)

    def _a_tool_may_run(self) -> bool:
        return self.run.status is Status.IN_PROGRESS and self._server_has_calls()

    def _spent(self, tokens: int) -> Usage:
        """What all steps took, once the open one has taken so much: whatever it said before, as one that waits does."""
        closed = [row for row in self.steps.values() if row.step.status != "in_progress"]
        return usage.add(usage.total(closed), took(tokens))

    def _new(self, kind: str) -> str:
        self.made += 1
        return f"{kind}_{self.made}"

    def _try(self, signal: Signal, decide: Callable[[], Change]) -> None:
        """Give the run a signal. If its status does not accept the signal, nothing has changed."""
        if signal not in TRANSITIONS[self.run.status]:
            with pytest.raises(Refused):
                decide()
            return
        self._commit(decide())

    def _commit(self, change: Change) -> None:
        assert not self.run.status.terminal, "a run that has ended never changes"
        for row in change.new_steps:
            assert row.id not in self.steps
        for message in change.new_messages:
            assert message.id not in self.messages
        assert change.events or change.run == self.run, "every change of status is reported"
        self.run = change.run
        self.steps |= {row.id: row for row in [*change.new_steps, *change.steps]}
        self.messages |= {message.id: message for message in [*change.new_messages, *change.messages]}
        self.open_work = OpenWork(
            next((row for row in self.steps.values() if row.step.status == "in_progress"), None),
            next((message for message in self.messages.values() if message.status == "in_progress"), None),
        )
        self.ended += self.run.status.terminal
        self._tell(change)

    def _whole(self, raw: RawEvent) -> bytes:
        """The data of an event as its readers see it: with the settings of the run."""
        of_run = EVENT_DATA[raw.name] is Run
        return Settings(encode_settings(self.run)).whole(raw.data) if of_run else raw.data

    def _tell(self, change: Change) -> None:
        if not change.events:
            return
        first = self.seq + 1
        self.seq += len(change.events)
        events = [
            decode_event(raw.name, self._whole(raw), str(Position(at))) for at, raw in enumerate(change.events, first)
        ]
        self.told.append(EventBatch(first, self.seq, events))
        self.reader.read(events)
        assert self.reader.status is self.run.status, "every change of status is reported"


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=200, stateful_step_count=40)


def open_of(change: Change) -> OpenWork:
    """The open work of a change."""
    return OpenWork(change.new_steps[0], change.new_messages[0] if change.new_messages else None)


def asked_for(*tools: str) -> OpenWork:
    """An open step whose calls the model has finished asking for."""
    calls = [Call(id=f"call_{place}", name=tool, arguments="{}", tool=tool) for place, tool in enumerate(tools)]
    reply = Reply(calls=calls, shown=[tool_call(call) for call in calls], usage=took(3))
    open_work = open_of(call_step.open_calls(run(), "step_1", 100))
    return OpenWork(call_step.ask(run(), open_work, reply, 100).steps[0])


@pytest.mark.parametrize("signal", [Signal.RECOVER, Signal.DELAY])
def test_calls_that_the_model_asked_for_survive_their_worker(signal: Signal) -> None:
    open_work = asked_for("file_search", "function", "code_interpreter")
    assert open_work.row is not None
    started = call_step.start(run(), open_work.row, "call_2").steps[0]
    change = transitions.end(run(), signal, OpenWork(started), 150, usage.NONE)
    assert [each.name for each in change.events] == ["thread.run.queued"]
    [row] = change.steps
    assert (row.step, row.asked) == (open_work.row.step, True)
    said = [(call.id, call.status, call.attempts) for call in row.calls]
    assert said == [("call_0", "asked", 1), ("call_1", "asked", 0), ("call_2", "started", 1)]


def test_a_mixed_turn_asks_the_client_for_its_own_calls_alone() -> None:
    row = asked_for("function", "file_search", "function").row
    assert row is not None
    ended = replace(row.calls[1], output="found", status="completed")
    change = call_step.finish(run(), row, ended, tool_call(ended), 150)
    assert change.run.required_action is not None
    assert [call.id for call in change.run.required_action.submit_tool_outputs.tool_calls] == ["call_0", "call_2"]
    outputs = {"call_0": "a", "call_2": "b"}
    after = call_step.submit_outputs(change.run, OpenWork(change.steps[0]), outputs, 160)
    [done] = after.steps
    assert [call.output for call in done.calls] == ["a", "found", "b"]
    assert (done.step.status, after.run.status) == ("completed", "queued")


def test_a_call_ends_once() -> None:
    row = asked_for("file_search", "file_search").row
    assert row is not None
    ended = replace(row.calls[0], output="found", status="completed")
    after = call_step.finish(run(), row, ended, tool_call(ended), 150).steps[0]
    for again in (ended, row.calls[1]):
        with pytest.raises(ValueError, match="does not end here"):
            call_step.finish(run(), after, again, tool_call(again), 150)


def test_a_message_that_was_cut_keeps_its_text() -> None:
    before = run()
    open_work = open_of(message_step.open_message(before, "step_1", "msg_1", 100))
    assert open_work.message is not None
    half = replace(open_work.message, content=[TextPart(text=Text(value="Half"))])
    change = transitions.end(before, Signal.RECOVER, OpenWork(open_work.row, half), 150, usage.NONE)
    [message], [row] = change.messages, change.steps
    assert message.content == [TextPart(text=Text(value="Half"))]
    assert message.incomplete_details is not None
    assert (message.status, message.incomplete_details.reason) == ("incomplete", "run_failed")
    assert row.step.last_error is not None
    assert row.step.last_error.message == "The worker stopped before this step was finished; the step is done again."


@pytest.mark.parametrize(
    ("signal", "reason", "status"),
    [
        (Signal.EXPIRE, "run_expired", "expired"),
        (Signal.RUN_OUT, "run_expired", "expired"),
        (Signal.FAIL, "run_failed", "failed"),
        (Signal.RECOVER, "run_failed", "failed"),
    ],
)
def test_open_work_is_closed_by_its_kind(signal: Signal, reason: str, status: str) -> None:
    open_work = open_of(message_step.open_message(run(), "step_1", "msg_1", 100))
    change = transitions.end(run(), signal, open_work, 150, usage.NONE, BROKEN if signal is Signal.FAIL else None)
    assert change.messages[0].incomplete_details is not None
    assert change.messages[0].incomplete_details.reason == reason
    assert change.steps[0].step.status == status
    assert [each.name for each in change.events[:2]] == ["thread.message.incomplete", f"thread.run.step.{status}"]


def test_a_run_that_is_delayed_says_why_and_until_when() -> None:
    open_work = open_of(message_step.open_message(run(), "step_1", "msg_1", 100))
    change = transitions.delay(run(), open_work, 150, usage.NONE, LIMITED, 1_700_000_000)
    assert change.ready_at == 1_700_000_000
    assert change.run.status == "queued"
    assert change.run.last_error == LastError(
        code="rate_limit_exceeded",
        message="Too many requests. The run waits, and goes on at 2023-11-14 22:13:20 UTC.",
    )
    assert [each.name.removeprefix("thread.") for each in change.events] == [
        "message.incomplete",
        "run.step.failed",
        "run.queued",
    ]
    assert change.events[-1] == run_event(change.run)


def test_a_run_whose_time_is_used_up_has_that_reason() -> None:
    waiting = run(status=Status.REQUIRES_ACTION, max_seconds=50)
    ended = transitions.end(waiting, Signal.RUN_OUT, OpenWork(), 150, usage.NONE).run
    assert ended.incomplete_details == IncompleteRun(reason="max_seconds")


def test_calls_that_were_not_requested_are_shown_without_outputs() -> None:
    open_work = open_of(call_step.open_calls(run(), "step_1", 100))
    asked = Call(id="call_a", name="weather", arguments="{}")
    [row] = call_step.refuse_calls(run(), open_work, Reply(calls=[asked], shown=[tool_call(asked)]), 150).steps
    step = row.step
    assert isinstance(step.step_details, ToolCallsDetails)
    [call] = step.step_details.tool_calls
    assert isinstance(call, FunctionToolCall)
    assert (call.id, call.function.output) == ("call_a", None)
    assert step.last_error is not None
    assert "'max_tool_calls'" in step.last_error.message


def test_a_step_fails_with_a_code_that_steps_have() -> None:
    open_work = open_of(call_step.open_calls(run(), "step_1", 100))
    change = transitions.end(run(), Signal.FAIL, open_work, 150, usage.NONE, BROKEN)
    assert change.steps[0].step.last_error == LastError(code="server_error", message="Broken.")
    assert change.run.last_error == BROKEN


@pytest.mark.parametrize(
    "closing",
    [
        lambda: message_step.close_message(run(), OpenWork(), 100, usage.NONE),
        lambda: call_step.cut_calls(run(), OpenWork(), 100, usage.NONE),
        lambda: call_step.refuse_calls(run(), OpenWork(), Reply(), 100),
        lambda: call_step.ask(run(), OpenWork(), Reply(), 100),
        lambda: call_step.submit_outputs(run(status=Status.REQUIRES_ACTION), OpenWork(), {}, 100),
    ],
)
def test_nothing_is_closed_that_is_not_open(closing: Callable[[], Change]) -> None:
    with pytest.raises(ValueError, match="is open"):
        closing()
