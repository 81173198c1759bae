"""The prompt: instructions, the thread's history, and the finished steps of the run itself.

A model turn that calls functions leaves up to three steps: its text, if any, its calls, and text behind them, if any. A
turn of text alone ends the run. So within a run, the text before and behind calls is of their turn, and becomes one
message with them, because many model servers refuse two assistant messages in a row. Text whose turn was cut before its
calls joins the next turn.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Raw

from runstead.domain.chat import tokens
from runstead.domain.chat.citations import without_citations
from runstead.domain.chat.offer import Offer
from runstead.domain.chosen_defaults import ChosenDefaults, value_if_chosen
from runstead.domain.model_call import ModelRequest
from runstead.domain.run.budget import completion_left
from runstead.domain.run.journal import Call, StepRow, fold
from runstead.wire.content import ContentPart, ImageFilePart, ImageUrlPart, RefusalPart, TextPart
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.run_step import MessageCreationDetails
from runstead.wire.tool import Function, FunctionName, NamedToolChoice, ToolChoice

__all__ = [
    "ChatMessage",
    "Images",
    "OwnTurns",
    "as_chat_message",
    "build",
    "functions",
    "history_message",
    "instructions",
    "own_turns",
]

ChatMessage: TypeAlias = dict[str, Any]
"""A chat-completion message."""


Images: TypeAlias = Mapping[str, Raw]
"""Data URLs as JSON, by the ids of their files."""
_NO_IMAGES: Images = {}


class OwnTurns:
    """The run's own turns as messages, and the opaque state of each turn by the index of its message."""

    def __init__(self) -> None:
        self.messages: list[ChatMessage] = []
        self.carried: dict[int, Any] = {}
        self.tokens = 0
        """The tokens of the messages and of the state."""
        self._joined: set[str] = set()
        """The ids of the messages that are a part of the message of their calls."""

    def add(self, row: StepRow, written: Mapping[str, Message]) -> None:
        """Add a step, if it has ended and is part of the prompt."""
        calls = _answered(row)
        if calls:
            message: ChatMessage | None = _of_calls(calls, written.get(row.followed_by or ""))
            self._joined |= {row.followed_by} if row.followed_by else set()
        else:
            message = None if _written_by(row) in self._joined else _of_text(row, written)
        if message is None:
            return
        self._append(message)
        if row.carried is not None:
            self._carry(row.carried)
        for call in calls:
            self._add(_output(call))

    def _append(self, message: ChatMessage) -> None:
        """Add a message of the assistant, joined to the text before it if both are of one turn."""
        last = self.messages[-1] if self.messages else None
        if last is not None and last["role"] == "assistant" and "tool_calls" not in last:
            self.tokens -= tokens.of_message(self.messages.pop())
            texts = [text for text in (last["content"], message["content"]) if text]
            message = {**message, "content": "\n".join(texts) or None}
        self._add(message)

    def _carry(self, state: Any) -> None:
        """Keep the state of the last message, instead of that of a text that was joined to it."""
        place = len(self.messages) - 1
        if place in self.carried:
            self.tokens -= tokens.of_states([self.carried[place]])
        self.carried[place] = state
        self.tokens += tokens.of_states([state])

    def _add(self, message: ChatMessage) -> None:
        self.messages.append(message)
        self.tokens += tokens.of_message(message)


def build(
    run: Run,
    history: Sequence[Message],
    steps: Sequence[StepRow],
    written: Mapping[str, Message],
    offered: Sequence[Offer],
    chosen_defaults: ChosenDefaults,
    images: Images = _NO_IMAGES,
) -> ModelRequest:
    """The next model call of a run.

    `history` are the messages of the thread, oldest first. `steps` are all of the run's, oldest first, and `written`
    the messages that they wrote, by id. `offered` are the functions of the run's tools, and
    `chosen_defaults` the options whose default it has chosen. `images` are data URLs by the ids of their files; an
    image that is not among them becomes a note.
    """
    before = [*instructions(run), *_history(history, images)]
    mine = own_turns(steps, written)
    choice, may_call = _choice(run, offered, steps)
    return ModelRequest(
        model=run.model,
        messages=[*before, *mine.messages],
        functions=may_call,
        tool_choice=choice,
        parallel_tool_calls=value_if_chosen(run, "parallel_tool_calls", chosen_defaults),
        response_format=run.response_format or "auto",
        temperature=value_if_chosen(run, "temperature", chosen_defaults),
        top_p=value_if_chosen(run, "top_p", chosen_defaults),
        reasoning_effort=run.reasoning_effort,
        max_completion_tokens=completion_left(run, steps),
        carried={len(before) + place: state for place, state in mine.carried.items()},
        run_id=run.id,
    )


def instructions(run: Run) -> list[ChatMessage]:
    """The system message; none without instructions."""
    return [{"role": "system", "content": run.instructions}] if run.instructions else []


def as_chat_message(message: Message, images: Images | None = None) -> ChatMessage | None:
    """A message in the prompt; None if it is empty.

    The assistant's own images are left out: models accept images of users only. Without `images` the message is only
    good for counting its tokens: each image file counts as an image.
    """
    parts = [_part(part, images) for part in message.content if message.role == "user" or not _is_image(part)]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    if len(texts) < len(parts):
        return {"role": message.role, "content": parts}
    text = "\n".join(texts)
    return {"role": message.role, "content": text} if text or message.role == "user" else None


def history_message(message: Message, images: Images | None = None) -> ChatMessage | None:
    """A message of the thread, as `as_chat_message`. Its citations are of earlier runs, so they are left out."""
    return as_chat_message(without_citations(message), images)


def own_turns(steps: Iterable[StepRow], written: Mapping[str, Message]) -> OwnTurns:
    """The run's own finished steps. Failed steps are left out."""

    def add(turns: OwnTurns, row: StepRow) -> OwnTurns:
        turns.add(row, written)
        return turns

    return fold(steps, "prompt", OwnTurns(), add)


def functions(run: Run, offered: Iterable[Offer]) -> list[Function]:
    """The functions that the model may call."""
    return [] if run.tool_choice == "none" else [offer.function for offer in offered]


def _history(history: Iterable[Message], images: Images) -> list[ChatMessage]:
    messages = (history_message(message, images) for message in history)
    return [message for message in messages if message is not None]


def _part(part: ContentPart, images: Images | None) -> dict[str, Any]:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text.value}
        case RefusalPart():
            return {"type": "text", "text": part.refusal}
        case ImageUrlPart():
            return _image(part.image_url.url, part.image_url.detail)
        case ImageFilePart():
            file_id = part.image_file.file_id
            url: str | Raw | None = file_id if images is None else images.get(file_id)
            if url is None:
                return {"type": "text", "text": f"[image {file_id} is not available]"}
            return _image(url, part.image_file.detail)


def _image(url: str | Raw, detail: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, "detail": detail}}


def _is_image(part: ContentPart) -> bool:
    return isinstance(part, ImageUrlPart | ImageFilePart)


def _answered(row: StepRow) -> Sequence[Call]:
    """The step's calls if all have outputs: model servers refuse a call without one."""
    answered = row.step.status == "completed" and all(call.output is not None for call in row.calls)
    return row.calls if answered else ()


def _of_calls(calls: Iterable[Call], behind: Message | None) -> ChatMessage:
    """The message of a turn with calls, and with the text that stands behind them."""
    said = as_chat_message(behind) if behind else None
    content = said["content"] if said else None
    return {"role": "assistant", "content": content, "tool_calls": [_call(call) for call in calls]}


def _of_text(row: StepRow, written: Mapping[str, Message]) -> ChatMessage | None:
    message = written.get(_written_by(row) or "")
    return as_chat_message(message) if message and row.step.status == "completed" else None


def _written_by(row: StepRow) -> str | None:
    """The id of the message that the step wrote."""
    details = row.step.step_details
    return details.message_creation.message_id if isinstance(details, MessageCreationDetails) else None


def _call(call: Call) -> dict[str, Any]:
    # Some chat templates parse the arguments: no arguments must be an empty object, not an empty string.
    arguments = call.arguments or "{}"
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _output(call: Call) -> ChatMessage:
    return {"role": "tool", "tool_call_id": call.id, "content": call.output}


def _choice(run: Run, offered: Sequence[Offer], steps: Iterable[StepRow]) -> tuple[ToolChoice, Sequence[Function]]:
    """The run's choice until its first calls are answered, and the functions that it leaves; from then on the model
    may answer with text.

    Model servers know functions only: a tool of the server that is forced is its one function, or any of its several.
    """
    may_call, choice = functions(run, offered), run.tool_choice
    if choice in {None, "none", "auto"} or not may_call or any(_answered(row) and not row.refused for row in steps):
        return "auto", may_call
    if not isinstance(choice, NamedToolChoice) or choice.type == "function":
        return choice, may_call
    of_tool = [offer.function for offer in offered if offer.tool == choice.type]
    if len(of_tool) == 1:
        return NamedToolChoice(type="function", function=FunctionName(name=of_tool[0].name)), may_call
    return ("required", of_tool) if of_tool else ("auto", may_call)
