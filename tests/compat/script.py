"""The script of the model in these tests, the texts of a thread, and the refusal of a wrong request."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from openai import APIStatusError, OpenAI
from openai.types.beta.threads import TextContentBlock

from runstead.domain.model_call import FinishReason, ModelRequest, TextPiece
from runstead.llm.port import ErrorCode
from runstead.llm.scripted import Call, Gate, Say, ScriptedModel, Turn, fail, finish, usage

__all__ = ["Script", "answers", "at", "refused"]


class Script:
    """The model's next responses, in the order of the calls here."""

    def __init__(self) -> None:
        self._turns: deque[Turn] = deque()
        self.model = _GptOnly(self._next, name="gpt-4o")

    @property
    def requests(self) -> list[ModelRequest]:
        """The requests to the model."""
        return self.model.requests

    def says(self, *pieces: str | Gate, reason: FinishReason = "stop", prompt: int = 10, completion: int = 5) -> None:
        """The next response is this text, piece by piece. It waits at a gate."""
        acts = [_whole(piece) if isinstance(piece, str) else piece for piece in pieces]
        self._turns.append([*acts, finish(reason), usage(prompt, completion)])

    def calls(self, *calls: Call, says: str = "", says_behind: str = "", prompt: int = 10, completion: int = 5) -> None:
        """The next response calls functions, in parallel, between two texts if they are given."""
        before, behind = ([_whole(text)] if text else [] for text in (says, says_behind))
        self._turns.append([*before, *calls, *behind, usage(prompt, completion)])

    def fails(self, message: str, code: ErrorCode = "server_error", after: str = "") -> None:
        """The next response fails, after a text if one is given."""
        before = [_whole(after)] if after else []
        self._turns.append([*before, fail(message, code)])

    def _next(self, _request: ModelRequest) -> Turn:
        return self._turns.popleft() if self._turns else fail("The script has no more responses.")


class _GptOnly(ScriptedModel):
    """Serves the models of one family, as a configured model server does."""

    def supports(self, model: str) -> bool:
        return model.startswith("gpt-")


def _whole(text: str) -> Say:
    return Say((TextPiece(text),))


def at(gate: Gate) -> None:
    """Wait until the model has reached a gate."""
    assert gate.reached.wait_blocking(10)


@contextmanager
def refused(
    kind: type[APIStatusError], message: str, *, param: str | None = None, code: str | None = None
) -> Iterator[None]:
    """The server refuses the call in this block with exactly this error."""
    with pytest.raises(kind) as error:
        yield
    assert error.value.body == {"message": message, "type": "invalid_request_error", "param": param, "code": code}


def answers(client: OpenAI, thread_id: str) -> list[str]:
    """The texts of a thread, newest first."""
    return [
        part.text.value
        for message in client.beta.threads.messages.list(thread_id)
        for part in message.content
        if isinstance(part, TextContentBlock)
    ]
