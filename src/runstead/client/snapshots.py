"""Messages and steps as they grow, for readers that want them whole at every moment. No IO."""

from runstead.wire.codec.snapshot import with_message_delta, with_step_delta
from runstead.wire.delta import MessageDelta, RunStepDelta
from runstead.wire.event import Event
from runstead.wire.message import Message
from runstead.wire.run_step import RunStep

__all__ = ["Snapshots"]


class Snapshots:
    """What is known of each message and step of a run, in the order in which they began."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.steps: dict[str, RunStep] = {}

    def note(self, event: Event) -> None:
        """Add what an event tells."""
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
