"""Every pair of status and signal is decided, and a run's fields are those of its status."""

import pytest

from runstead.domain.run.lifecycle import TRANSITIONS, Refused, Signal, as_mermaid, move, target
from runstead.wire.run import IncompleteRun, LastError, RequiredAction, RequiredToolOutputs, Run, Status, Usage
from tests.domain.things import run

DECISIONS = """
                  claim        ask_client       submit_outputs  complete   run_out     fail    cancel      stop       expire   delay   recover
queued            in_progress  -                -               -          incomplete  failed  cancelling  -          expired  -       -
in_progress       -            requires_action  -               completed  incomplete  failed  cancelling  -          expired  queued  queued
requires_action   -            -                queued          -          incomplete  -       cancelling  -          expired  -       -
cancelling        -            -                -               completed  -           -       -           cancelled  expired  -       cancelled
cancelled         -            -                -               -          -           -       -           -          -        -       -
failed            -            -                -               -          -           -       -           -          -        -       -
completed         -            -                -               -          -           -       -           -          -        -       -
incomplete        -            -                -               -          -           -       -           -          -        -       -
expired           -            -                -               -          -           -       -           -          -        -       -
"""  # noqa: E501 - a table


def decided() -> list[tuple[Status, Signal, Status | None]]:
    head, *rows = DECISIONS.strip().splitlines()
    signals = [Signal(name) for name in head.split()]
    pairs = []
    for row in rows:
        status, *cells = row.split()
        for signal, cell in zip(signals, cells, strict=True):
            pairs.append((Status(status), signal, None if cell == "-" else Status(cell)))
    return pairs


ARROWS = [(status, signal, after) for status, signal, after in decided() if after is not None]


def given(status: Status) -> Run:
    """A run in a status, as its life made it."""
    action = RequiredAction(submit_tool_outputs=RequiredToolOutputs(tool_calls=[]))
    return run(
        status=status,
        expires_at=700,
        started_at=None if status is Status.QUEUED else 120,
        required_action=action if status is Status.REQUIRES_ACTION else None,
    )


def moved(status: Status, signal: Signal) -> Run:
    return move(
        given(status),
        signal,
        150,
        required_action=RequiredAction(submit_tool_outputs=RequiredToolOutputs(tool_calls=[])),
        last_error=LastError(code="server_error", message="Broken."),
        incomplete=IncompleteRun(reason="max_prompt_tokens"),
        usage=Usage(total_tokens=5),
    )


def test_the_table_of_this_test_has_every_pair() -> None:
    assert {(status, signal) for status, signal, _ in decided()} == {(a, b) for a in Status for b in Signal}


@pytest.mark.parametrize(("status", "signal", "after"), decided())
def test_every_pair_is_decided(status: Status, signal: Signal, after: Status | None) -> None:
    if after is not None:
        assert target(status, signal) is after
        assert moved(status, signal).status is after
        return
    before = given(status)
    with pytest.raises(Refused, match=f"a run that is {status} cannot {signal}"):
        move(before, signal, 150)
    assert before == given(status)


@pytest.mark.parametrize("status", Status)
def test_exactly_the_terminal_statuses_lead_nowhere(status: Status) -> None:
    assert (not TRANSITIONS[status]) == status.terminal


def test_every_status_can_be_reached_and_every_life_can_end() -> None:
    reached = {Status.QUEUED}
    for _ in Status:
        reached |= {after for before in reached for after in TRANSITIONS[before].values()}
    assert reached == set(Status)
    ending = {status for status in Status if status.terminal}
    for _ in Status:
        ending |= {before for before, moves in TRANSITIONS.items() if ending & set(moves.values())}
    assert ending == set(Status)


@pytest.mark.parametrize(("status", "signal", "after"), ARROWS)
def test_usage_shows_once_the_run_has_ended(status: Status, signal: Signal, after: Status) -> None:
    assert moved(status, signal).usage == (Usage(total_tokens=5) if after.terminal else None)


@pytest.mark.parametrize(("status", "signal", "after"), ARROWS)
def test_only_the_time_of_its_ending_is_set(status: Status, signal: Signal, after: Status) -> None:
    ended = moved(status, signal)
    times = {"completed_at": ended.completed_at, "cancelled_at": ended.cancelled_at, "failed_at": ended.failed_at}
    field = {
        Status.COMPLETED: "completed_at",
        Status.INCOMPLETE: "completed_at",
        Status.CANCELLED: "cancelled_at",
        Status.FAILED: "failed_at",
    }.get(after)
    assert {name for name, at in times.items() if at is not None} == ({field} if field else set())
    assert field is None or times[field] == 150


def test_the_reason_of_a_wait_is_shown_until_the_run_continues_or_stops() -> None:
    cause = LastError(code="rate_limit_exceeded", message="Too many requests.")
    waiting = move(run(status=Status.IN_PROGRESS), Signal.DELAY, 150, last_error=cause)
    assert waiting.last_error == cause
    assert move(waiting, Signal.CLAIM, 160).last_error is None
    assert move(waiting, Signal.CANCEL, 160).last_error is None
    assert move(waiting, Signal.EXPIRE, 160).last_error == cause


def test_starting_again_sets_the_start_again() -> None:
    assert move(run(status=Status.QUEUED, started_at=120), Signal.CLAIM, 150).started_at == 150


def test_the_time_of_expiry_is_kept_by_the_run_that_expired_and_cleared_by_any_other_end() -> None:
    for status, signal, after in ARROWS:
        expected = 700 if not after.terminal or after is Status.EXPIRED else None
        assert moved(status, signal).expires_at == expected, (status, signal)


def test_the_drawing_has_every_arrow() -> None:
    lines = as_mermaid().splitlines()
    for status, signal, after in ARROWS:
        assert f"    {status} --> {after}: {signal}" in lines
    assert sum("-->" in line for line in lines) == len(ARROWS) + 1 + sum(status.terminal for status in Status)
