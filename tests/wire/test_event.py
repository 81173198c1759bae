"""Events: their positions, names and data."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.wire.error import BadRequest, ErrorBody
from runstead.wire.event import EVENT_DATA, Event, EventName, Position, decode_event
from runstead.wire.run import Run, Status

POSITIONS = st.builds(Position, st.integers(0, 10**9), st.integers(0, 10**9))


@given(POSITIONS)
def test_a_position_is_parsed_from_its_text(position: Position) -> None:
    assert Position.parse(str(position)) == position


@given(POSITIONS, POSITIONS)
def test_positions_are_ordered_as_events_are(one: Position, other: Position) -> None:
    assert (one < other) == ((one.seq, one.delta) < (other.seq, other.delta))


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1.", ".1", "1.2.3", "1 ", "١", "1.x", "9" * 40, "9" * 20, "1." + "9" * 20, "+1"]
)
def test_any_other_text_is_not_a_position(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Position.parse(text)
    assert (caught.value.param, caught.value.code) == ("after", "invalid_value")


def test_events_are_those_of_the_contract() -> None:
    runs = ["created", "queued", "in_progress", "requires_action", "completed", "incomplete", "failed"]
    runs += ["cancelling", "cancelled", "expired"]
    steps = ["created", "in_progress", "delta", "completed", "failed", "cancelled", "expired"]
    messages = ["created", "in_progress", "delta", "completed", "incomplete"]
    assert {str(name) for name in EventName} == {
        "thread.created",
        "error",
        *(f"thread.run.{name}" for name in runs),
        *(f"thread.run.step.{name}" for name in steps),
        *(f"thread.message.{name}" for name in messages),
    }


def test_pausing_events_are_those_of_pausing_statuses() -> None:
    pausing = {name.removeprefix("thread.run.") for name in EventName if name.pausing}
    assert pausing == {str(status) for status in Status if status.pausing}


def test_every_event_has_a_data_type() -> None:
    assert set(EVENT_DATA) == {str(name) for name in EventName}
    assert EVENT_DATA["thread.run.step.delta"].__name__ == "RunStepDelta"
    assert EVENT_DATA["thread.run.step.completed"].__name__ == "RunStep"
    assert EVENT_DATA["thread.run.completed"] is Run


def test_an_event_is_decoded_into_its_object() -> None:
    run = Run(id="run_1", created_at=1, thread_id="t", assistant_id="a", status=Status.QUEUED, model="m")
    event = decode_event("thread.run.queued", msgspec.json.encode(run), "2")
    assert event == Event(event=EventName.RUN_QUEUED, data=run, id="2")


def test_an_error_event_has_an_error_body() -> None:
    event = decode_event("error", b'{"error":{"message":"boom"}}')
    assert isinstance(event.data, ErrorBody)
    assert event.data.error.message == "boom"


def test_an_unknown_event_keeps_its_raw_data() -> None:
    event = decode_event("thread.run.paused", b'{"x": 1}', "5")
    assert event.event == "thread.run.paused"
    assert isinstance(event.data, msgspec.Raw)
    assert bytes(event.data) == b'{"x": 1}'
