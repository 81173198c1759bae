"""The prompts of the embedded model. Its chat template supports neither tools nor images, so both are put into text.

The wording was chosen by experiment: with it the model uses a result, and copies arguments, in most of our examples.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from runstead.llm.chat_messages import last_text_of_role, text_of
from runstead.llm.local.passages import best_passage
from runstead.wire.tool import Function

__all__ = ["answer_prompt", "argument_prompt", "choice_prompt"]

Message: TypeAlias = dict[str, str]

_INSTRUCTIONS = "You are a helpful assistant."
"""The default instructions. Those of the chat template name a product, and the answers get worse."""
_ARGUMENTS = "You write the arguments of function calls as JSON."
_EXAMPLES = {
    """Function: book_table (Book a table in a restaurant)
Arguments: restaurant, people
Request: Please book a table for 4 at Luigi's.""": '{"restaurant":"Luigi\'s","people":4}',
    """Function: find_books (Find books in the library)
Arguments: query
Request: Do you have books on growing roses?""": '{"query":"growing roses"}',
}
_WITH_RESULT = "\nAnswer with this result, in one sentence."


def answer_prompt(messages: Sequence[Mapping[str, Any]]) -> list[Message]:
    """The conversation, with the results of functions appended to the message that they help to answer."""
    names = _call_names(messages)
    prompt: list[Message] = []
    if not any(message.get("role") in {"system", "developer"} for message in messages):
        prompt.append({"role": "system", "content": _INSTRUCTIONS})
    for message in messages:
        role, text = message.get("role"), text_of(message)
        if role == "tool":
            passage = best_passage(text, last_text_of_role("user", messages))
            name = names.get(message.get("tool_call_id"), "the function")
            _add_result(prompt, name, text if passage is None else passage.text)
        elif role == "assistant":
            if text:
                prompt.append({"role": "assistant", "content": text})
        else:
            prompt.append({"role": "user" if role == "user" else "system", "content": text + _image_note(message)})
    return prompt


def argument_prompt(
    function: Function, parameters: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]
) -> list[Message]:
    """The prompt for the arguments of a call: two made-up examples, then the request."""
    prompt = [{"role": "system", "content": _ARGUMENTS}]
    for request, arguments in _EXAMPLES.items():
        prompt += [{"role": "user", "content": request}, {"role": "assistant", "content": arguments}]
    names = ", ".join(parameters["properties"])
    request = last_text_of_role("user", messages)
    return [
        *prompt,
        {"role": "user", "content": f"Function: {_describe(function)}\nArguments: {names}\nRequest: {request}"},
    ]


def choice_prompt(functions: Sequence[Function], messages: Sequence[Mapping[str, Any]]) -> list[Message]:
    """The prompt for the choice of a function."""
    listed = "\n".join(_describe(function) for function in functions)
    request = last_text_of_role("user", messages)
    return [
        {"role": "system", "content": "You choose the function that serves a request, as JSON."},
        {"role": "user", "content": f"{listed}\n\nRequest: {request}"},
    ]


def _describe(function: Function) -> str:
    return f"{function.name} ({function.description})" if function.description else function.name


def _add_result(prompt: list[Message], name: str, result: str) -> None:
    if not prompt or prompt[-1]["role"] != "user":
        prompt.append({"role": "user", "content": ""})
    # Several results share the closing instruction.
    before = prompt[-1]["content"].removesuffix(_WITH_RESULT)
    prompt[-1] = {"role": "user", "content": f"{before}\n\nThe result of {name} is: {result}{_WITH_RESULT}".lstrip()}


def _call_names(messages: Sequence[Mapping[str, Any]]) -> dict[Any, str]:
    calls = [call for message in messages for call in message.get("tool_calls") or ()]
    return {call["id"]: call["function"]["name"] for call in calls}


def _image_note(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    parts = content if isinstance(content, list) else ()
    images = any(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)
    return "\n(There is an image here that you cannot see.)" if images else ""
