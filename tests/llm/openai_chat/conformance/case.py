"""The language of the conformance tables: a line has what a model server sends, and the right result.

Case("its name", sent(text("Hel"), text("lo"), end("stop")), says("Hello"))
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from runstead.domain.model_call import (
    CarriedPiece,
    Finish,
    Piece,
    RefusalPiece,
    TextPiece,
    ThinkingPiece,
    ToolCallPiece,
    UsagePiece,
)
from runstead.llm.port import ErrorCode

__all__ = [
    "DONE",
    "Body",
    "Case",
    "Fails",
    "Right",
    "Then",
    "args",
    "asks",
    "call",
    "chunk",
    "counts",
    "delta",
    "either",
    "end",
    "fails",
    "last",
    "plain",
    "right_of",
    "says",
    "sent",
    "text",
]

DONE = b"data: [DONE]\n\n"

Then: TypeAlias = Literal["end", "cut", "silence", "comments"]
"""The end of the connection after the body: its end, a broken connection, silence, or comments without end."""


class Body(Struct, frozen=True):
    """The bytes of one answer."""

    data: bytes
    streamed: bool = True


class Right(Struct, frozen=True, kw_only=True):
    """A whole answer as the engine should see it. A count of 0 is one that the server did not make."""

    said: str = ""
    refused: str = ""
    calls: Sequence[tuple[str, str, str]] = ()
    """Id, name and arguments; the id `new` stands for one that the adapter made."""
    finish: str = "stop"
    usage: tuple[int, int] = (0, 0)
    thought: str = ""
    state: Mapping[str, Any] | None = None


class Fails(Struct, frozen=True, kw_only=True):
    """A failed answer: words of the message, and how it fails."""

    words: str
    said: str = ""
    """The text that was passed on before."""
    code: ErrorCode = "server_error"
    rate_limited: bool = False


class Case(Struct, frozen=True):
    """One line of a table."""

    name: str
    bodies: Sequence[Body]
    right: Right | Fails
    then: Then = "end"


def chunk(choice: Any = None, **fields: Any) -> dict[str, Any]:
    return {"id": "c1", "object": "chat.completion.chunk", "choices": [] if choice is None else [choice], **fields}


def delta(fields: Any, finish: Any = None, **choice: Any) -> dict[str, Any]:
    """An event with this delta."""
    return chunk({"index": 0, "delta": fields, "finish_reason": finish, **choice})


def text(content: Any) -> dict[str, Any]:
    """An event with more text."""
    return delta({"content": content})


def call(id: Any, name: Any, arguments: Any = None, *, index: Any = 0, **fields: Any) -> dict[str, Any]:
    """An event with a call, or with its beginning."""
    function = {"name": name} if arguments is None else {"name": name, "arguments": arguments}
    numbered = {} if index is None else {"index": index}
    identified = {} if id is None else {"id": id}
    return delta({"tool_calls": [{**numbered, **identified, "type": "function", "function": function, **fields}]})


def args(arguments: Any, *, index: Any = 0, id: Any = None) -> dict[str, Any]:
    """An event with more arguments of a call."""
    fields = {"index": index, "id": id, "function": {"arguments": arguments}}
    return delta({"tool_calls": [{name: value for name, value in fields.items() if value is not None}]})


def last(message: Any, finish: str = "stop") -> dict[str, Any]:
    """An event with a message in place of a delta."""
    return chunk({"index": 0, "message": message, "finish_reason": finish})


def end(finish: Any) -> dict[str, Any]:
    """An event with the finish reason alone."""
    return delta({}, finish)


def counts(usage: Any) -> dict[str, Any]:
    """An event with a usage alone."""
    return chunk(usage=usage)


def sent(*events: Any, done: bool = True) -> list[Body]:
    """A stream of these events. Bytes are sent as they are, anything else as an event of its own."""
    data = b"".join(each if isinstance(each, bytes) else b"data: %b\n\n" % _encode(each) for each in events)
    return [Body(data + DONE if done else data)]


def plain(document: Any) -> list[Body]:
    """An unstreamed answer."""
    return [Body(document if isinstance(document, bytes) else _encode(document), streamed=False)]


def either(message: Any, finish: Any = "stop", usage: Any = None, **fields: Any) -> list[Body]:
    """The same answer twice: as a stream of one event, and unstreamed."""
    streamed = [delta(message, **fields), end(finish), counts(usage)]
    choice = {"index": 0, "message": message, "finish_reason": finish, **fields}
    return [*sent(*streamed), *plain({"object": "chat.completion", "choices": [choice], "usage": usage})]


def says(said: str, finish: str = "stop", **fields: Any) -> Right:
    """The answer is this text."""
    return Right(said=said, finish=finish, **fields)


def asks(*calls: tuple[str, str, str], finish: str = "tool_calls", **fields: Any) -> Right:
    """The answer asks for these calls."""
    return Right(calls=calls, finish=finish, **fields)


def fails(words: str, **fields: Any) -> Fails:
    """The answer fails in these words."""
    return Fails(words=words, **fields)


def right_of(pieces: Sequence[Piece], known_ids: Sequence[str]) -> Right:
    """The sum of an answer's pieces."""
    calls: dict[int, list[str]] = {}
    found: dict[str, Any] = {"said": "", "refused": "", "finish": "none"}
    for piece in pieces:
        match piece:
            case TextPiece(text=more):
                found["said"] += more
            case RefusalPiece(text=more):
                found["refused"] += more
            case ToolCallPiece():
                made = calls.setdefault(piece.index, [piece.id or "", piece.name or "", ""])
                made[2] += piece.arguments
            case Finish(reason=reason):
                found["finish"] = reason
            case UsagePiece(usage=usage):
                found["usage"] = (usage.prompt_tokens, usage.completion_tokens)
            case ThinkingPiece(text=thought):
                found["thought"] = thought
            case CarriedPiece(state=state):
                found["state"] = {name: value for name, value in state.items() if name != "origin"}
    assert list(calls) == list(range(len(calls)))
    named = [(id if id in known_ids else "new", name, arguments) for id, name, arguments in calls.values()]
    return Right(calls=tuple(named), **found)


_encode = msgspec.json.Encoder().encode
