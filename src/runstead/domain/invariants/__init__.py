"""The invariants: what is true of every run between any two transactions, whichever process was killed, and when.

A rule reads a `RunRecord` and yields a description of each violation. The docstring of a rule is the invariant;
`docs/checking.md` lists them all.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from runstead.domain.invariants import calls, events, order, scheduling, steps_and_messages
from runstead.domain.invariants.record import RunRecord, Violation
from runstead.wire.run import Status

__all__ = ["RULES", "Rule", "unreleased", "violations"]

Rule: TypeAlias = Callable[[RunRecord], Iterator[str]]

RULES: Sequence[Rule] = (
    events.are_numbered_without_gaps,
    events.begin_and_end_once,
    events.follow_the_lifecycle,
    events.match_the_run,
    steps_and_messages.match_their_events,
    steps_and_messages.belong_to_the_run,
    steps_and_messages.are_open_only_while_the_run_is_active,
    steps_and_messages.add_up_to_the_usage,
    order.matches_the_events,
    order.keeps_messages_of_a_run_together,
    calls.match_their_step,
    calls.have_an_output_once_ended,
    calls.wait_for_the_server_or_the_client,
    scheduling.indexed_columns_match_the_run,
    scheduling.owned_only_while_executing,
    scheduling.only_active_run_of_its_thread,
    scheduling.predecessor_has_not_ended,
)


def violations(record: RunRecord) -> list[Violation]:
    """Every violation by one run; empty if there is none."""
    return [Violation(record.run.id, problem) for rule in RULES for problem in rule(record)]


def unreleased(record: RunRecord) -> Violation | None:
    """The violation by a run that is still executing after every worker has stopped; None if it is not."""
    if record.run.status in {Status.IN_PROGRESS, Status.CANCELLING}:
        return Violation(record.run.id, f"the run is {record.run.status}, but no worker is running")
    return None
