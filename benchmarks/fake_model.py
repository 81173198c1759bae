"""A model that costs next to nothing: chat completions from bytes made in advance.

Its name says what it does. `tokens-2000` writes each token by itself, as a model does that sends what it has;
`paced-40` the same, but one in 50 ms; `burst-20` writes many at once; `hold` says nothing until `POST /release`, then
twenty tokens, and `hold-paced-60` what `paced-60` does. With a number as its body, the release is of so many, those
that have waited longest. `GET /held` counts who waits.
`usage.prompt_tokens` is the number of messages in the request, so the load can tell what the model was shown.
"""

from collections.abc import Iterator
from functools import cache

import msgspec

from benchmarks.service import LAST_CHUNK, Exchange, Request, as_json, chunk, chunked_head, serve

BURSTS = {"tokens": 1, "paced": 1, "burst": 64}
"""Chunks in one write; a chunk always carries one token."""
PAUSES = {"paced": 0.05}
"""Seconds between two writes."""
HELD = 20


class Asked(msgspec.Struct):
    """What the model looks at in a request."""

    model: str
    messages: list[msgspec.Raw] = []
    stream: bool = False


def tokens(count: int) -> list[str]:
    """Numbered, so that one that is lost or out of place shows."""
    return [f" {number:04d}" for number in range(count)]


def text(count: int) -> str:
    return "".join(tokens(count))


class Model:
    def __init__(self) -> None:
        self._held: list[tuple[Asked, Exchange]] = []

    def answer(self, request: Request, exchange: Exchange) -> None:
        match request.method, request.path:
            case b"POST", b"/v1/chat/completions":
                self._complete(msgspec.json.decode(request.body, type=Asked), exchange)
            case b"POST", b"/release":
                exchange.send([as_json({"released": self._release(int(request.body or len(self._held)))})])
            case b"GET", b"/held":
                exchange.send([as_json({"held": sum(each.open for _, each in self._held)})])
            case _:
                exchange.send([as_json({"object": "list", "data": [{"id": "tokens-20", "object": "model"}]})])

    def _complete(self, asked: Asked, exchange: Exchange) -> None:
        if asked.model.startswith("hold"):
            self._held.append((asked, exchange))
        else:
            _speak(asked, exchange, asked.model)

    def _release(self, most: int) -> int:
        held, self._held = self._held[:most], self._held[most:]
        for asked, exchange in held:
            _speak(asked, exchange, asked.model.partition("-")[2] or f"tokens-{HELD}")
        return len(held)


def _speak(asked: Asked, exchange: Exchange, model: str) -> None:
    kind, _, count = model.partition("-")
    exchange.send(_reply(asked, kind, int(count)), PAUSES.get(kind, 0))


def _reply(asked: Asked, kind: str, count: int) -> Iterator[bytes]:
    usage = {"prompt_tokens": len(asked.messages), "completion_tokens": count}
    usage["total_tokens"] = sum(usage.values())
    if asked.stream:
        yield from _stream(count, BURSTS[kind])
        yield chunk(_event([], usage)) + chunk(b"data: [DONE]\n\n") + LAST_CHUNK
    else:
        message = {"role": "assistant", "content": text(count)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        yield as_json({"id": "chatcmpl-0", "object": "chat.completion", "choices": [choice], "usage": usage})


@cache
def _stream(count: int, burst: int) -> list[bytes]:
    """The stream but for its end, which tells the usage: a first chunk with the role, the tokens, the reason."""
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": token} for token in tokens(count)]
    chunks = [chunk(_event([{"index": 0, "delta": delta, "finish_reason": None}])) for delta in deltas]
    chunks.append(chunk(_event([{"index": 0, "delta": {}, "finish_reason": "stop"}])))
    chunks[0] = chunked_head() + chunks[0]
    return [b"".join(chunks[at : at + burst]) for at in range(0, len(chunks), burst)]


def _event(choices: list[dict[str, object]], usage: dict[str, int] | None = None) -> bytes:
    body = {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": choices}
    return b"data: " + msgspec.json.encode(body | {"usage": usage}) + b"\n\n"


if __name__ == "__main__":
    serve(Model().answer)
