"""The text of a stream. It is parsed after the measurement."""

from collections.abc import Iterator

import msgspec


class Delta(msgspec.Struct):
    content: str | None = None


class Choice(msgspec.Struct):
    delta: Delta


class Chunk(msgspec.Struct):
    """A chunk of a chat completion."""

    choices: list[Choice]


class Text(msgspec.Struct):
    value: str


class Part(msgspec.Struct):
    text: Text


class MessageDelta(msgspec.Struct):
    content: list[Part]


class MessageDeltaEvent(msgspec.Struct):
    """The data of a `thread.message.delta`."""

    delta: MessageDelta


_chunk = msgspec.json.Decoder(Chunk)
_message_delta = msgspec.json.Decoder(MessageDeltaEvent)


def text_of_chunks(body: bytes) -> str:
    """The text in a stream of chat completion chunks."""
    chunks = (_chunk.decode(data) for _, data in events(body) if data != b"[DONE]")
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def text_of_events(body: bytes) -> str:
    """The text in the deltas of a run's stream."""
    deltas = (_message_delta.decode(data) for name, data in events(body) if name == b"thread.message.delta")
    return "".join(part.text.value for each in deltas for part in each.delta.content)


def count_events(body: bytes) -> int:
    return sum(1 for _ in events(body))


def events(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and data of each event; comments, ids and blocks without data are skipped."""
    for block in body.split(b"\n\n"):
        fields = dict(
            line.split(b": ", 1) for line in block.split(b"\n") if not line.startswith(b":") and b": " in line
        )
        if b"data" in fields:
            yield fields.get(b"event", b""), fields[b"data"]
