"""A fake model server of minimal cost: chat completions from prepared bytes.

The model's name selects the behaviour:

- `tokens-2000` sends 2,000 tokens, each in its own write.
- `paced-40` sends 40 tokens, one every 50 ms.
- `burst-2000` sends 2,000 tokens, many per write.
- `hold` sends nothing until `POST /release`, then twenty tokens. `hold-paced-60` then continues as `paced-60`.

The body of `/release` may be the number of requests to release, oldest first. `GET /held` returns how many are held.
`usage.prompt_tokens` is the number of messages in the request, so that the load can check the prompt.
"""

from collections.abc import Iterator
from functools import cache

import msgspec

from benchmarks.service import LAST_CHUNK, Exchange, Request, as_json, chunk, chunked_head, serve

BURSTS = {"tokens": 1, "paced": 1, "burst": 64}
"""Chunks per write; a chunk has one token."""
PAUSES = {"paced": 0.05}
"""Seconds between two writes."""
HELD_TOKENS = 20


class Asked(msgspec.Struct):
    """The fields of a request that the model reads."""

    model: str
    messages: list[msgspec.Raw] = []
    stream: bool = False


def tokens(count: int) -> list[str]:
    """Numbered tokens, so that a missing or misplaced one is detected."""
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
            _answer(asked, exchange, asked.model)

    def _release(self, limit: int) -> int:
        held, self._held = self._held[:limit], self._held[limit:]
        for asked, exchange in held:
            _answer(asked, exchange, asked.model.partition("-")[2] or f"tokens-{HELD_TOKENS}")
        return len(held)


def _answer(asked: Asked, exchange: Exchange, model: str) -> None:
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
    """The stream up to the usage: a first chunk with the role, the tokens, the finish reason."""
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
