"""A walk through random lives of a run: whatever happens to it, in whatever order, the rules of its life hold."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from runstead.domain.access import DEFAULT_PROJECT
from runstead.domain.invariants import violations
from runstead.domain.invariants.record import Batch, Record
from runstead.domain.run import transitions, usage
from runstead.domain.run.change import Change, event, run_event
from runstead.domain.run.deadline import deadline
from runstead.domain.run.lifecycle import TRANSITIONS, Refused, Signal
from runstead.domain.run.transitions import OpenWork
from runstead.wire.content import Text, TextPart
from runstead.wire.event import EventName, Position, decode_event
from runstead.wire.message import Message
from runstead.wire.run import IncompleteRun, LastError, Run, Status, Usage
from runstead.wire.run_step import FunctionToolCall, RunStep, ToolCallsDetails
from runstead.wire.tool import FunctionCall, RequiredFunctionCall
from tests.domain.things import run
from tests.support.reader import Reader

LIMITED = LastError(code="rate_limit_exceeded", message="Too many requests.")
BROKEN = LastError(code="invalid_prompt", message="Broken.")

# What is set (1) and null (0) in each status; what is not said may be either.
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


def took(tokens: int) -> Usage:
    return Usage(prompt_tokens=tokens, completion_tokens=1, total_tokens=tokens + 1)


class Lives(RuleBasedStateMachine):
    """One run, its steps and messages as a store would keep them, and a reader of its events."""

    @initialize()
    def create(self) -> None:
        self.now = 100
        self.run = run(status=Status.QUEUED, expires_at=700)
        self.steps: dict[str, RunStep] = {}
        self.messages: dict[str, Message] = {}
        self.opened = OpenWork()
        self.reader = Reader()
        self.told: list[Batch] = []
        self.seq = 0
        self.made = 0
        self.ended = 0
        self._tell(Change(run=self.run, events=[event(EventName.RUN_CREATED, self.run), run_event(self.run)]))

    # What a worker does.

    @rule()
    def claim(self) -> None:
        self._try(Signal.CLAIM, lambda: transitions.claim(self.run, self.now))

    @precondition(lambda self: self.run.status is Status.IN_PROGRESS and self.opened == OpenWork())
    @rule()
    def open_message(self) -> None:
        change, self.opened = transitions.open_message(self.run, self._new("step"), self._new("msg"), self.now)
        self._commit(change)

    @precondition(lambda self: self.run.status is Status.IN_PROGRESS and self._calls_may_open())
    @rule()
    def open_calls(self) -> None:
        change, opened = transitions.open_calls(self.run, self._new("step"), self.now)
        if self.opened.message is not None:
            change = transitions.combine(transitions.close_message(self.run, self.opened, self.now, usage.NONE), change)
        self.opened = opened
        self._commit(change)

    @precondition(lambda self: self.opened.message is not None)
    @rule(text=st.text(max_size=3))
    def write(self, text: str) -> None:
        assert self.opened.message is not None
        message = replace(self.opened.message, content=[TextPart(text=Text(value=text))])
        self.opened = OpenWork(self.opened.step, message)

    @precondition(lambda self: self.opened.message is not None)
    @rule(tokens=st.integers(0, 9))
    def complete(self, tokens: int) -> None:
        def decide() -> Change:
            closed = transitions.close_message(self.run, self.opened, self.now, took(tokens))
            return transitions.combine(closed, transitions.complete(self.run, self.now, self._spent(tokens)))

        self._try(Signal.COMPLETE, decide)

    @precondition(lambda self: self.opened.step is not None)
    @rule(tokens=st.integers(0, 9))
    def run_out(self, tokens: int) -> None:
        def decide() -> Change:
            if self.opened.message is not None:
                closed = transitions.close_message(self.run, self.opened, self.now, took(tokens), "max_tokens")
            else:
                closed = transitions.cut_calls(self.run, self.opened, self.now, took(tokens))
            end = transitions.run_out(self.run, self.now, self._spent(tokens), "max_completion_tokens")
            return transitions.combine(closed, end)

        self._try(Signal.RUN_OUT, decide)

    @precondition(lambda self: self.opened.step is not None and self.opened.message is None)
    @rule(count=st.integers(1, 3), tokens=st.integers(0, 9))
    def call_too_much(self, count: int, tokens: int) -> None:
        calls = self._calls(count)

        def decide() -> Change:
            refused = transitions.refuse_calls(self.run, self.opened, calls, self.now, took(tokens))
            return transitions.combine(
                refused, transitions.run_out(self.run, self.now, self._spent(tokens), "max_tool_calls")
            )

        self._try(Signal.RUN_OUT, decide)

    @precondition(lambda self: self.opened == OpenWork())
    @rule()
    def run_out_before_a_call(self) -> None:
        spent = usage.total(self.steps.values())
        self._try(Signal.RUN_OUT, lambda: transitions.run_out(self.run, self.now, spent, "max_prompt_tokens"))

    @precondition(lambda self: self.opened.step is not None and self.opened.message is None)
    @rule(count=st.integers(1, 3), tokens=st.integers(0, 9))
    def ask_client(self, count: int, tokens: int) -> None:
        calls = self._calls(count)
        self._try(
            Signal.ASK_CLIENT, lambda: transitions.ask_client(self.run, self.opened, calls, self.now, took(tokens))
        )

    # What a client does.

    @rule(output=st.text(max_size=3))
    def submit_outputs(self, output: str) -> None:
        action = self.run.required_action
        calls = action.submit_tool_outputs.tool_calls if action else []
        outputs = {call.id: output for call in calls}
        self._try(Signal.SUBMIT_OUTPUTS, lambda: transitions.submit_outputs(self.run, self.opened, outputs, self.now))
        if self.run.status is Status.QUEUED and outputs:
            step = list(self.steps.values())[-1]
            assert isinstance(step.step_details, ToolCallsDetails)
            filled = [call for call in step.step_details.tool_calls if isinstance(call, FunctionToolCall)]
            assert [(call.id, call.function.output) for call in filled] == list(outputs.items())
            assert (step.status, step.completed_at) == ("completed", self.now)

    @rule()
    def cancel(self) -> None:
        self._try(Signal.CANCEL, lambda: transitions.cancel(self.run, self.now))

    # What may happen at any time.

    @rule(signal=st.sampled_from([Signal.STOP, Signal.EXPIRE, Signal.RUN_OUT, Signal.FAIL, Signal.RECOVER]))
    def end(self, signal: Signal) -> None:
        error = BROKEN if signal is Signal.FAIL else None
        spent = usage.total(self.steps.values())
        self._try(signal, lambda: transitions.end(self.run, signal, self.opened, self.now, spent, error))

    @rule(seconds=st.integers(1, 100))
    def delay(self, seconds: int) -> None:
        spent, cause, until = usage.total(self.steps.values()), LIMITED, self.now + seconds
        self._try(Signal.DELAY, lambda: transitions.delay(self.run, self.opened, self.now, spent, cause, until))

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    # What always holds.

    @invariant()
    def the_fields_are_those_of_the_status(self) -> None:
        for field, value in shown(self.run).items():
            said = WANTED[self.run.status][field]
            assert said == "?" or (value is not None) == (said == "1"), (self.run.status, field, value)

    @invariant()
    def steps_and_messages_are_open_only_while_someone_may_close_them(self) -> None:
        open_steps = [step for step in self.steps.values() if step.status == "in_progress"]
        open_messages = [message for message in self.messages.values() if message.status == "in_progress"]
        assert [step.id for step in open_steps] == ([self.opened.step.id] if self.opened.step else [])
        assert [message.id for message in open_messages] == ([self.opened.message.id] if self.opened.message else [])
        if self.run.status.terminal or self.run.status is Status.QUEUED:
            assert not open_steps

    @invariant()
    def a_step_shows_when_and_why_it_ended(self) -> None:
        for step in self.steps.values():
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
        kept = Record(
            run=self.run,
            project=DEFAULT_PROJECT,
            last_event=self.seq,
            status=self.run.status,
            deadline=deadline(self.run),
            has_thread=True,
            owner="worker" if at_work else None,
            told=self.told,
            steps=list(self.steps.values()),
            messages=[replace(message, metadata={"a": "b"}) for message in self.messages.values()],
        )
        # What is written of an open message is in the worker's memory.
        assert violations(kept) == []

    @invariant()
    def the_end_comes_once(self) -> None:
        assert self.ended == int(self.run.status.terminal)

    def _calls(self, count: int) -> list[RequiredFunctionCall]:
        function = FunctionCall(name="weather", arguments="{}")
        return [RequiredFunctionCall(id=self._new("call"), function=function) for _ in range(count)]

    def _calls_may_open(self) -> bool:
        return self.opened == OpenWork() or self.opened.message is not None

    def _spent(self, tokens: int) -> Usage:
        return usage.add(usage.total(self.steps.values()), took(tokens))

    def _new(self, kind: str) -> str:
        self.made += 1
        return f"{kind}_{self.made}"

    def _try(self, signal: Signal, decide: Callable[[], Change]) -> None:
        """Give the run a signal; if its status knows none such, nothing has changed."""
        if signal not in TRANSITIONS[self.run.status]:
            with pytest.raises(Refused):
                decide()
            return
        self._commit(decide())

    def _commit(self, change: Change) -> None:
        assert not self.run.status.terminal, "a run that has ended never changes"
        for step in change.new_steps:
            assert step.id not in self.steps
        for message in change.new_messages:
            assert message.id not in self.messages
        self.run = change.run
        self.steps |= {step.id: step for step in [*change.new_steps, *change.steps]}
        self.messages |= {message.id: message for message in [*change.new_messages, *change.messages]}
        self.opened = OpenWork(
            next((step for step in self.steps.values() if step.status == "in_progress"), None),
            next((message for message in self.messages.values() if message.status == "in_progress"), None),
        )
        self.ended += self.run.status.terminal
        self._tell(change)

    def _tell(self, change: Change) -> None:
        assert change.events
        first = self.seq + 1
        self.seq += len(change.events)
        events = [decode_event(raw.name, raw.data, str(Position(at))) for at, raw in enumerate(change.events, first)]
        self.told.append(Batch(first, self.seq, events))
        self.reader.read(events)
        assert self.reader.status is self.run.status, "every change of status is reported"


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=200, stateful_step_count=40)


def test_a_message_that_was_cut_keeps_what_was_written() -> None:
    before = run()
    _, opened = transitions.open_message(before, "step_1", "msg_1", 100)
    assert opened.message is not None
    half = replace(opened.message, content=[TextPart(text=Text(value="Half"))])
    change = transitions.end(before, Signal.RECOVER, OpenWork(opened.step, half), 150, usage.NONE)
    [message], [step] = change.messages, change.steps
    assert message.content == [TextPart(text=Text(value="Half"))]
    assert message.incomplete_details is not None
    assert (message.status, message.incomplete_details.reason) == ("incomplete", "run_failed")
    assert step.last_error is not None
    assert step.last_error.message == "The worker stopped before this step was finished; the step is done again."


@pytest.mark.parametrize(
    ("signal", "reason", "status"),
    [
        (Signal.EXPIRE, "run_expired", "expired"),
        (Signal.RUN_OUT, "run_expired", "expired"),
        (Signal.FAIL, "run_failed", "failed"),
        (Signal.RECOVER, "run_failed", "failed"),
    ],
)
def test_what_is_half_done_is_closed_for_what_it_is(signal: Signal, reason: str, status: str) -> None:
    _, opened = transitions.open_message(run(), "step_1", "msg_1", 100)
    change = transitions.end(run(), signal, opened, 150, usage.NONE, BROKEN if signal is Signal.FAIL else None)
    assert change.messages[0].incomplete_details is not None
    assert change.messages[0].incomplete_details.reason == reason
    assert change.steps[0].status == status
    assert [each.name for each in change.events[:2]] == ["thread.message.incomplete", f"thread.run.step.{status}"]


def test_a_run_that_is_delayed_says_why_and_until_when() -> None:
    _, opened = transitions.open_message(run(), "step_1", "msg_1", 100)
    change = transitions.delay(run(), opened, 150, usage.NONE, LIMITED, 1_700_000_000)
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


def test_a_run_whose_time_is_used_up_says_so() -> None:
    waiting = run(status=Status.REQUIRES_ACTION, max_seconds=50)
    ended = transitions.end(waiting, Signal.RUN_OUT, OpenWork(), 150, usage.NONE).run
    assert ended.incomplete_details == IncompleteRun(reason="max_seconds")


def test_calls_that_nobody_was_asked_for_are_shown_without_outputs() -> None:
    _, opened = transitions.open_calls(run(), "step_1", 100)
    calls = [RequiredFunctionCall(id="call_a", function=FunctionCall(name="weather", arguments="{}"))]
    [step] = transitions.refuse_calls(run(), opened, calls, 150, usage.NONE).steps
    assert isinstance(step.step_details, ToolCallsDetails)
    [call] = step.step_details.tool_calls
    assert isinstance(call, FunctionToolCall)
    assert (call.id, call.function.output) == ("call_a", None)
    assert step.last_error is not None
    assert "'max_tool_calls'" in step.last_error.message


def test_a_step_fails_with_a_code_that_steps_have() -> None:
    _, opened = transitions.open_calls(run(), "step_1", 100)
    change = transitions.end(run(), Signal.FAIL, opened, 150, usage.NONE, BROKEN)
    assert change.steps[0].last_error == LastError(code="server_error", message="Broken.")
    assert change.run.last_error == BROKEN


@pytest.mark.parametrize(
    "closing",
    [
        lambda: transitions.close_message(run(), OpenWork(), 100, usage.NONE),
        lambda: transitions.cut_calls(run(), OpenWork(), 100, usage.NONE),
        lambda: transitions.refuse_calls(run(), OpenWork(), [], 100, usage.NONE),
        lambda: transitions.ask_client(run(), OpenWork(), [], 100, usage.NONE),
        lambda: transitions.submit_outputs(run(status=Status.REQUIRES_ACTION), OpenWork(), {}, 100),
    ],
)
def test_nothing_is_closed_that_is_not_open(closing: Callable[[], Change]) -> None:
    with pytest.raises(ValueError, match="is open"):
        closing()
