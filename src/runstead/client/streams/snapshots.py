"""Messages and steps accumulated from the events of a run. No IO."""

from runstead.wire.codec.snapshot import with_message_delta, with_step_delta
from runstead.wire.delta import MessageDelta, RunStepDelta
from runstead.wire.event import Event
from runstead.wire.message import Message
from runstead.wire.run_step import RunStep

__all__ = ["Snapshots"]


class Snapshots:
    """The messages and steps of a run as its events have shown them, in the order of their first events."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.steps: dict[str, RunStep] = {}

    def apply(self, event: Event) -> None:
        """Update the message or step that an event is about."""
        match event.data:
            case Message() as message:
                self.messages[message.id] = message
            case RunStep() as step:
                self.steps[step.id] = step
            case MessageDelta(id=id) as delta if id in self.messages:
                self.messages[id] = with_message_delta(self.messages[id], delta)
            case RunStepDelta(id=id) as delta if id in self.steps:
                self.steps[id] = with_step_delta(self.steps[id], delta)
            case _:
                pass
