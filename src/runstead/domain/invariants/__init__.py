"""What is true of every run at any moment between two transactions, whatever was killed when.

A rule reads a `Record` and says in words what is wrong with it. Its docstring is the invariant; `docs/checking.md`
lists them all.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from runstead.domain.invariants import calls, events, parts, place
from runstead.domain.invariants.record import Record, Violation
from runstead.wire.run import Status

__all__ = ["RULES", "Rule", "at_rest", "violations"]

Rule: TypeAlias = Callable[[Record], Iterator[str]]

RULES: Sequence[Rule] = (
    events.are_numbered,
    events.begin_and_end,
    events.follow_the_table,
    events.tell_what_is,
    parts.are_as_told,
    parts.belong_to_it,
    parts.are_open_while_it_works,
    parts.are_added_up,
    calls.are_those_of_their_step,
    calls.have_an_output_once_they_ended,
    calls.wait_for_the_server_or_the_client,
    place.is_found_as_it_is,
    place.is_held_while_it_works,
    place.is_alone_on_its_thread,
    place.waits_for_what_will_end,
)


def violations(record: Record) -> list[Violation]:
    """What is wrong with a run; nothing, if all is well."""
    return [Violation(record.run.id, words) for rule in RULES for words in rule(record)]


def at_rest(record: Record) -> Violation | None:
    """What is wrong with a run when every worker has handed back what it held: it is still at work."""
    if record.run.status in {Status.IN_PROGRESS, Status.CANCELLING}:
        return Violation(record.run.id, f"it is {record.run.status}, though no worker runs any more")
    return None
