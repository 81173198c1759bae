"""Messages and steps accumulated from the events of a run. No IO."""

from collections import defaultdict

from runstead.wire.codec.snapshot import with_message_deltas, with_step_deltas
from runstead.wire.delta import MessageDelta, RunStepDelta
from runstead.wire.event import Event
from runstead.wire.message import Message
from runstead.wire.run_step import RunStep

__all__ = ["Snapshots"]

MAX_WAITING = 1000
"""Deltas that wait to be applied. One takes many times the memory of its text."""


class Snapshots:
    """The messages and steps of a run as its events have shown them, in the order of their first events.

    Deltas wait until the snapshots are read, and are applied together: a text of many pieces is copied once.
    """

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}
        self._steps: dict[str, RunStep] = {}
        self._message_deltas: dict[str, list[MessageDelta]] = defaultdict(list)
        self._step_deltas: dict[str, list[RunStepDelta]] = defaultdict(list)
        self._waiting = 0

    @property
    def messages(self) -> list[Message]:
        """The messages so far."""
        self._apply_waiting()
        return list(self._messages.values())

    @property
    def steps(self) -> list[RunStep]:
        """The steps so far."""
        self._apply_waiting()
        return list(self._steps.values())

    def apply(self, event: Event) -> None:
        """Update the message or step that an event is about."""
        match event.data:
            case Message() as message:
                self._messages[message.id] = message
                self._message_deltas.pop(message.id, None)
            case RunStep() as step:
                self._steps[step.id] = step
                self._step_deltas.pop(step.id, None)
            case MessageDelta(id=id) as delta if id in self._messages:
                self._message_deltas[id].append(delta)
                self._wait()
            case RunStepDelta(id=id) as delta if id in self._steps:
                self._step_deltas[id].append(delta)
                self._wait()
            case _:
                pass

    def _wait(self) -> None:
        self._waiting += 1
        if self._waiting >= MAX_WAITING:
            self._apply_waiting()

    def _apply_waiting(self) -> None:
        for id, deltas in self._message_deltas.items():
            self._messages[id] = with_message_deltas(self._messages[id], deltas)
        for id, news in self._step_deltas.items():
            self._steps[id] = with_step_deltas(self._steps[id], news)
        self._message_deltas.clear()
        self._step_deltas.clear()
        self._waiting = 0
