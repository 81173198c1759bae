"""The state of a turn with calls that its model server needs again: thinking, signatures and unknown fields.

The state goes back with the turn's message in the next calls of the same run, to the same model of the same server.
```
{"origin": "m at http://127.0.0.1:8000/v1", "message": {"reasoning_content": "…"}, "parts": [{"type": "thinking", …}],
 "thought": "<think>…</think>", "calls": {"0": {"extra_content": {…}}}}
```
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runstead.llm.openai_chat.state.merged_state import MergedList, MergedObject, is_continued
from runstead.model_server.coercion import as_list, as_object
from runstead.model_server.split_characters import repaired, repaired_json

__all__ = ["TurnState", "names_state", "with_state"]

_OF_MESSAGE = frozenset({
    "role", "content", "refusal", "tool_calls", "function_call", "name", "annotations", "audio", "images",
    "id", "index", "object", "created", "model", "usage", "logprobs", "finish_reason", "stop_reason", "token_ids",
    "obfuscation", "padding",
})  # fmt: skip
"""Fields of a message that are read, or that are output and no state."""
_OF_FUNCTION = frozenset({"name", "arguments", "parameters", "args", "input"})
_OF_CALL = _OF_FUNCTION | {"index", "id", "type", "function"}
_MAX_FIELDS = 1_000


class TurnState:
    """The state of the turn that is being received. Each method returns the characters that it keeps, about."""

    def __init__(self) -> None:
        self._message = MergedObject()
        self._parts = MergedList()
        self._calls: dict[int, MergedObject] = {}

    def add_message(self, delta: Mapping[str, Any]) -> int:
        """Keep the unknown fields of a message. A message with more than `_MAX_FIELDS` fields has no state."""
        return self._message.add(_without(delta, _OF_MESSAGE)) if len(delta) <= _MAX_FIELDS else 0

    def add_parts(self, parts: Sequence[Mapping[str, Any]]) -> int:
        """Keep parts of the content that are thinking."""
        return self._parts.add(parts)

    def add_call(self, place: int, call: Mapping[str, Any]) -> int:
        """Keep the unknown fields of the call at this place, from 0."""
        fields = _without(call, _OF_CALL)
        if function := _without(as_object(call.get("function")), _OF_FUNCTION):
            fields["function"] = function
        return self._calls.setdefault(place, MergedObject()).add(fields) if fields else 0

    def value(self, origin: str, thought: str) -> dict[str, Any] | None:
        """The state, to be stored with the turn; None if the server gave none.

        `origin` names the model and its server. `thought` is thinking that stood before the text, with its tags.
        """
        calls = {str(place): fields for place, call in self._calls.items() if (fields := call.value())}
        state = {"message": self._message.value(), "parts": self._parts.value(), "thought": thought, "calls": calls}
        kept = {name: value for name, value in state.items() if value}
        return {"origin": origin, **repaired_json(kept)} if kept else None

    def thinking(self) -> str:
        """The thinking as one text, whatever its shape, to be counted where the server does not count it."""
        return repaired("".join(_texts([self._message.value(), self._parts.value()])))


def with_state(messages: Sequence[dict[str, Any]], states: Mapping[int, Any], origin: str) -> list[dict[str, Any]]:
    """The messages with the state of their turns. `states` has the states by the index of their message.

    A state of another origin is left out.
    """
    return [
        _restored(message, state) if (state := as_object(states.get(index))).get("origin") == origin else message
        for index, message in enumerate(messages)
    ]


def names_state(answer: bytes, states: Iterable[Any]) -> bool:
    """Whether an error answer names a field of these states, so that its server is likely to refuse every state."""
    names: set[str] = set()
    for state in map(as_object, states):
        calls = [as_object(fields) for fields in as_object(state.get("calls")).values()]
        functions = [as_object(fields.get("function")) for fields in calls]
        for fields in (as_object(state.get("message")), *calls, *functions):
            names |= fields.keys()
    words = answer.decode("utf-8", "replace")
    return any(re.search(rf"(?<![a-z0-9_]){re.escape(name)}(?![a-z0-9_])", words) for name in names - {"function"})


def _restored(message: dict[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if thought := state.get("thought"):
        content = f"{thought}{content or ''}"
    if parts := as_list(state.get("parts")):
        content = [*parts, {"type": "text", "text": content}] if content else parts
    restored = {**as_object(state.get("message")), **message, "content": content}
    if "tool_calls" in message:
        calls = as_object(state.get("calls"))
        restored["tool_calls"] = [
            _restored_call(call, as_object(calls.get(str(place)))) for place, call in enumerate(message["tool_calls"])
        ]
    return restored


def _restored_call(call: dict[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    function = {**as_object(fields.get("function")), **call["function"]}
    return {**fields, **call, "function": function}


def _without(fields: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in known and value is not None}


def _texts(value: Any) -> list[str]:
    """The texts of thinking in decoded JSON. A text that is there twice, under two names, counts once."""
    found: dict[str, None] = {}
    level = [value]
    while level:
        each = level.pop()
        if isinstance(each, list):
            level += each
        elif isinstance(each, dict):
            level += [child for child in each.values() if isinstance(child, dict | list)]
            found |= {child: None for name, child in each.items() if isinstance(child, str) and is_continued(name)}
    return list(found)
