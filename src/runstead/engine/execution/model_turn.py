"""One model call: the answer is written down as a message or as calls while it comes, and streamed to the followers."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from runstead.domain.chat import tokens
from runstead.domain.chat.assembly import CallsDraft, MessageDraft
from runstead.domain.model_call import (
    CarriedPiece,
    CitationPiece,
    Finish,
    FinishReason,
    ModelRequest,
    Piece,
    RefusalPiece,
    TextPiece,
    ThinkingPiece,
    ToolCallPiece,
    UsagePiece,
)
from runstead.domain.run import call_step, message_step, transitions, usage
from runstead.domain.run.change import Change
from runstead.domain.run.next_move import Reply, Written
from runstead.engine.execution.cited_batches import CitedBatches
from runstead.engine.execution.claimed_run import ClaimedRun
from runstead.engine.execution.toolbox import Toolbox
from runstead.wire.content import Content, TextPart
from runstead.wire.event import EventName
from runstead.wire.run import Run, Usage

__all__ = ["ask"]


async def ask(claimed: ClaimedRun, request: ModelRequest, tools: Toolbox) -> Reply:
    """Ask the model and write its answer down. The last step and its message are left open: what becomes of them is
    decided on the whole reply. Leaving, for whatever reason, closes the upstream request.
    """
    turn = _ModelTurn(claimed, request, tools)
    asked, waiting, budget = perf_counter(), True, claimed.adapters.turn_budget
    async with claimed.adapters.model.reply(request) as batches:
        sources = tools.sources(claimed.journal.rows)
        async for pieces in CitedBatches(batches, sources) if sources else batches:
            if waiting:
                claimed.adapters.observer.first_token(claimed.row, perf_counter() - asked)
                waiting = False
            if not budget.take():  # the pieces of thousands of answers may have come in the same moment
                await budget.next_turn()
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
        self._thinking = ""
        self._said: Content = []
        self._behind: MessageDraft | None = None
        self._deltas: list[bytes] = []
        claimed.message, claimed.calls = None, None

    async def add(self, pieces: Sequence[Piece]) -> None:
        """Take pieces that came together; their deltas leave together."""
        for piece in pieces:
            match piece:
                case TextPiece() | RefusalPiece() | CitationPiece() if self._claimed.calls:
                    self._add_behind(piece)
                case TextPiece(text=text):
                    draft = self._claimed.message or await self._open_message()
                    self._deltas.append(draft.add_text(text))
                case RefusalPiece(text=text):
                    draft = self._claimed.message or await self._open_message()
                    self._deltas.append(draft.add_refusal(text))
                case CitationPiece(marker=marker, file_id=file_id):
                    draft = self._claimed.message or await self._open_message()
                    self._deltas.append(draft.add_citation(marker, file_id))
                case ToolCallPiece():
                    calls = self._claimed.calls or await self._open_calls()
                    self._deltas += calls.add(piece, self._claimed.adapters.new_id("call"))
                case _:
                    self._note(piece)
        await self._publish()

    def _note(self, piece: Finish | UsagePiece | ThinkingPiece | CarriedPiece) -> None:
        """Keep what the server says about the answer."""
        match piece:
            case Finish(reason=reason):
                self._finish = reason
            case UsagePiece(usage=spent):
                self._usage = spent
            case ThinkingPiece(text=text):
                self._thinking = text
            case CarriedPiece(state=state):
                self._carried = state

    async def finish(self) -> Reply:
        """The whole answer. One without a word is an empty message."""
        claimed = self._claimed
        if claimed.message is None and claimed.calls is None:
            await self._open_message()
        calls = [self._tools.checked(call) for call in claimed.calls.calls()] if claimed.calls else []
        written = self._written_behind()
        if claimed.message is not None:
            self._said += claimed.message.content()
        if written is not None:
            self._said += written.content
        return Reply(
            calls=calls,
            shown=[self._tools.show(call) for call in calls],
            finish=self._finish,
            usage=tokens.of_call(self._usage, self._request, self._said, calls, self._thinking),
            written=written,
            carried=self._carried,
        )

    def _add_behind(self, piece: TextPiece | RefusalPiece | CitationPiece) -> None:
        """Keep text behind the calls. Their step is open, so the text becomes a message when the turn ends."""
        draft = self._behind = self._behind or MessageDraft(self._claimed.adapters.new_id("msg"))
        match piece:
            case TextPiece(text=text):
                draft.add_text(text)
            case RefusalPiece(text=text):
                draft.add_refusal(text)
            case CitationPiece(marker=marker, file_id=file_id):
                draft.add_citation(marker, file_id)

    def _written_behind(self) -> Written | None:
        """The message behind the calls; none if it is only white space."""
        content = self._behind.content() if self._behind else []
        if self._behind is None or not any(
            not isinstance(part, TextPart) or part.text.value.strip() for part in content
        ):
            return None
        step_id = self._claimed.adapters.new_id("step")
        return Written(step_id=step_id, message_id=self._behind.message_id, content=content)

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
