"""One model call: the answer is written down as a message or as calls while it comes, and streamed to the followers."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from runstead.domain.chat import tokens
from runstead.domain.chat.assembly import CallsDraft, MessageDraft
from runstead.domain.model_call import (
    CarriedPiece,
    Finish,
    FinishReason,
    ModelRequest,
    Piece,
    RefusalPiece,
    TextPiece,
    ToolCallPiece,
    UsagePiece,
)
from runstead.domain.run import call_step, message_step, transitions, usage
from runstead.domain.run.change import Change
from runstead.domain.run.next_move import Reply
from runstead.engine.execution.claimed_run import ClaimedRun
from runstead.engine.execution.toolbox import Toolbox
from runstead.wire.content import Content
from runstead.wire.event import EventName
from runstead.wire.run import Run, Usage

__all__ = ["ask"]


async def ask(claimed: ClaimedRun, request: ModelRequest, tools: Toolbox) -> Reply:
    """Ask the model and write its answer down. The last step and its message are left open: what becomes of them is
    decided on the whole reply. Leaving, for whatever reason, closes the upstream request.
    """
    turn = _ModelTurn(claimed, request, tools)
    asked, waiting = perf_counter(), True
    async with claimed.adapters.model.reply(request) as batches:
        async for pieces in batches:
            if waiting:
                claimed.adapters.observer.first_token(claimed.row, perf_counter() - asked)
                waiting = False
            await turn.add(pieces)
    return await turn.finish()


class _ModelTurn:
    """The answer so far."""

    def __init__(self, claimed: ClaimedRun, request: ModelRequest, tools: Toolbox) -> None:
        self._claimed = claimed
        self._request = request
        self._tools = tools
        self._finish: FinishReason = "stop"
        self._usage: Usage | None = None
        self._carried: Any = None
        self._said: Content = []
        self._deltas: list[bytes] = []
        claimed.message, claimed.calls = None, None

    async def add(self, pieces: Sequence[Piece]) -> None:
        """Take pieces that came together; their deltas leave together."""
        for piece in pieces:
            match piece:
                case TextPiece() | RefusalPiece() if self._claimed.calls:
                    pass  # the calls are the turn's last step: servers send no more than white space behind them
                case TextPiece(text=text):
                    draft = self._claimed.message or await self._open_message()
                    self._deltas.append(draft.add_text(text))
                case RefusalPiece(text=text):
                    draft = self._claimed.message or await self._open_message()
                    self._deltas.append(draft.add_refusal(text))
                case ToolCallPiece():
                    calls = self._claimed.calls or await self._open_calls()
                    self._deltas += calls.add(piece, self._claimed.adapters.new_id("call"))
                case Finish(reason=reason):
                    self._finish = reason
                case UsagePiece(usage=spent):
                    self._usage = spent
                case CarriedPiece(state=state):
                    self._carried = state
        await self._publish()

    async def finish(self) -> Reply:
        """The whole answer. One without a word is an empty message."""
        claimed = self._claimed
        if claimed.message is None and claimed.calls is None:
            await self._open_message()
        calls = claimed.calls.calls() if claimed.calls else []
        if claimed.message is not None:
            self._said += claimed.message.content()
        return Reply(
            calls=calls,
            shown=claimed.calls.shown() if claimed.calls else [],
            finish=self._finish,
            # Budgets hold also where the model's server does not count.
            usage=self._usage or tokens.of_call(self._request, self._said, calls),
            carried=self._carried,
        )

    async def _open_message(self) -> MessageDraft:
        claimed, adapters = self._claimed, self._claimed.adapters
        step_id, message_id = adapters.new_id("step"), adapters.new_id("msg")
        await claimed.commit(lambda run: message_step.open_message(run, step_id, message_id, adapters.now()))
        claimed.message = MessageDraft(message_id)
        return claimed.message

    async def _open_calls(self) -> CallsDraft:
        await self._publish()
        claimed, step_id = self._claimed, self._claimed.adapters.new_id("step")
        await claimed.commit(lambda run: self._calls_after_message(run, step_id))
        if claimed.message is not None:
            self._said += claimed.message.content()
        claimed.message = None
        claimed.calls = CallsDraft(
            step_id, tool_of=self._tools.routed, show=self._tools.show, taken=claimed.journal.call_ids
        )
        return claimed.calls

    def _calls_after_message(self, run: Run, step_id: str) -> Change:
        """Open the step of the calls; a message that was written before them is whole. Its step counts no tokens:
        those of the turn are counted on its last step.
        """
        now, open_work = self._claimed.adapters.now(), self._claimed.open_work
        change = call_step.open_calls(run, step_id, now)
        if open_work.message is None:
            return change
        return transitions.combine(message_step.close_message(run, open_work, now, usage.NONE), change)

    async def _publish(self) -> None:
        if not self._deltas:
            return
        deltas, self._deltas = self._deltas, []
        name = EventName.STEP_DELTA if self._claimed.calls else EventName.MESSAGE_DELTA
        await self._claimed.emit(name, deltas)
