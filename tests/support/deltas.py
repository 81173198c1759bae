"""Deltas of a message, as a model's tokens make them."""

from runstead.broker.kept_deltas import KeptBatch, KeptDeltas
from runstead.domain.chat.assembly import MessageDraft
from runstead.wire.event import EventName, Position, RawEvent

__all__ = ["all_events", "token_deltas"]


def token_deltas(count: int) -> list[RawEvent]:
    """The deltas of `count` tokens after the stored event 1. Their texts are ` 0`, ` 1`, … and so on."""
    draft = MessageDraft("msg_0000000000000000000000AB")
    return [
        RawEvent(Position(1, number + 1), EventName.MESSAGE_DELTA, draft.add_text(f" {number}"))
        for number in range(count)
    ]


def all_events(kept: KeptDeltas) -> list[RawEvent]:
    """The events of a late subscriber, in order."""
    batches = [batch.unpack() if isinstance(batch, KeptBatch) else batch for batch in kept.batches()]
    return [event for batch in batches for event in batch]
