"""The assistant's text in a run's events, each piece once. No IO."""

from collections.abc import Iterator

from runstead.wire.content import TextPart
from runstead.wire.delta import MessageDelta, TextPartDelta
from runstead.wire.event import Event, EventName
from runstead.wire.message import Message
from runstead.wire.struct import UNSET

__all__ = ["TextDeltas"]

_ENDS = frozenset({EventName.MESSAGE_COMPLETED, EventName.MESSAGE_INCOMPLETE})


class TextDeltas:
    """Remembers how much of each part was returned. A stream that resumed gets the missing text from the message."""

    def __init__(self) -> None:
        self._returned: dict[tuple[str, int], int] = {}

    def new_text(self, event: Event) -> Iterator[str]:
        """The text in an event that was not returned before."""
        data = event.data
        if isinstance(data, MessageDelta):
            yield from self._of_delta(data)
        elif isinstance(data, Message) and event.event in _ENDS:
            yield from self._rest(data)

    def _of_delta(self, delta: MessageDelta) -> Iterator[str]:
        for part in delta.delta.content or ():
            if isinstance(part, TextPartDelta) and part.text is not UNSET and part.text.value:
                at = (delta.id, part.index)
                self._returned[at] = self._returned.get(at, 0) + len(part.text.value)
                yield part.text.value

    def _rest(self, message: Message) -> Iterator[str]:
        for index, part in enumerate(message.content):
            returned = self._returned.pop((message.id, index), 0)
            if isinstance(part, TextPart) and len(part.text.value) > returned:
                yield part.text.value[returned:]
