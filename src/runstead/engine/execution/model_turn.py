"""One model call: the answer is written down as a message or as calls while it comes, and streamed to who follows."""

from collections.abc import Sequence

from runstead.domain.chat import tokens
from runstead.domain.chat.assembly import CallsDraft, MessageDraft
from runstead.domain.model_call import (
    Finish,
    FinishReason,
    ModelRequest,
    Piece,
    RefusalPiece,
    TextPiece,
    ToolCallPiece,
)
from runstead.domain.run import transitions, usage
from runstead.domain.run.change import Change
from runstead.domain.run.next_move import Reply
from runstead.domain.run.transitions import OpenWork
from runstead.engine.execution.claimed_run import ClaimedRun
from runstead.wire.content import Content
from runstead.wire.event import EventName
from runstead.wire.run import Run, Usage

__all__ = ["ask"]


async def ask(hold: ClaimedRun, request: ModelRequest) -> Reply:
    """Ask the model and write its answer down. The last step and its message are left open: what becomes of them is
    decided on the whole reply. Leaving, for whatever reason, closes the upstream request.
    """
    turn = _Turn(hold, request)
    async with hold.adapters.model.reply(request) as batches:
        async for pieces in batches:
            await turn.add(pieces)
    return await turn.finish()


class _Turn:
    """The answer so far."""

    def __init__(self, hold: ClaimedRun, request: ModelRequest) -> None:
        self._hold = hold
        self._request = request
        self._finish: FinishReason = "stop"
        self._usage: Usage | None = None
        self._said: Content = []
        self._deltas: list[bytes] = []

    async def add(self, pieces: Sequence[Piece]) -> None:
        """Take pieces that came together; their deltas leave together."""
        for piece in pieces:
            match piece:
                case TextPiece() | RefusalPiece() if self._hold.calls:
                    pass  # the calls are the turn's last step: servers send no more than white space behind them
                case TextPiece(text=text):
                    draft = self._hold.message or await self._open_message()
                    self._deltas.append(draft.add_text(text))
                case RefusalPiece(text=text):
                    draft = self._hold.message or await self._open_message()
                    self._deltas.append(draft.add_refusal(text))
                case ToolCallPiece():
                    calls = self._hold.calls or await self._open_calls()
                    self._deltas += calls.add(piece, self._hold.adapters.new_id("call"))
                case Finish(reason=reason):
                    self._finish = reason
                case _:
                    self._usage = piece.usage
        await self._tell()

    async def finish(self) -> Reply:
        """The whole answer. One without a word is an empty message."""
        if self._hold.message is None and self._hold.calls is None:
            await self._open_message()
        calls = self._hold.calls.calls() if self._hold.calls else []
        if self._hold.message is not None:
            self._said += self._hold.message.content()
        # Budgets hold also where the model's server does not count.
        spent = self._usage or tokens.of_call(self._request, self._said, calls)
        return Reply(calls=calls, finish=self._finish, usage=spent)

    async def _open_message(self) -> MessageDraft:
        hold, adapters = self._hold, self._hold.adapters
        step_id, message_id = adapters.new_id("step"), adapters.new_id("msg")
        await hold.open(lambda run: transitions.open_message(run, step_id, message_id, adapters.now()))
        hold.message = MessageDraft(message_id)
        return hold.message

    async def _open_calls(self) -> CallsDraft:
        await self._tell()
        hold, step_id = self._hold, self._hold.adapters.new_id("step")
        await hold.open(lambda run: self._calls_after_message(run, step_id))
        if hold.message is not None:
            self._said += hold.message.content()
        hold.message, hold.calls = None, CallsDraft(step_id)
        return hold.calls

    def _calls_after_message(self, run: Run, step_id: str) -> tuple[Change, OpenWork]:
        """Open the step of the calls; a message that was written before them is whole. Its step counts no tokens:
        those of the turn are counted on its last step.
        """
        hold, now = self._hold, self._hold.adapters.now()
        change, opened = transitions.open_calls(run, step_id, now)
        message = hold.written
        if message is None:
            return change, opened
        return transitions.combine(
            transitions.close_message(run, OpenWork(hold.opened.step, message), now, usage.NONE), change
        ), opened

    async def _tell(self) -> None:
        if not self._deltas:
            return
        deltas, self._deltas = self._deltas, []
        name = EventName.STEP_DELTA if self._hold.calls else EventName.MESSAGE_DELTA
        await self._hold.emit(name, deltas)
