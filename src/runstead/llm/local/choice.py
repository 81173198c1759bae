"""Chooses the function to call before the model is called, because a small model cannot.

A function scores 1 for each word of the user's last message that is in its description or parameters, and 2 for each
that is in its name. With `auto`, a function needs a score of 2, and the model answers in text once there are outputs.
With `required`, the best function is called. Between functions with equal scores the model chooses.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET

from runstead.llm.chat_messages import last_text_of_role
from runstead.llm.local.words import words
from runstead.wire.tool import Function, NamedToolChoice, ToolChoice

__all__ = ["candidates"]

_MIN_SCORE = 2


def candidates(
    functions: Sequence[Function], choice: ToolChoice, messages: Sequence[Mapping[str, Any]]
) -> Sequence[Function]:
    """The functions that may be called; empty if the model must answer in text."""
    if isinstance(choice, NamedToolChoice):
        name = choice.type if choice.function is UNSET else choice.function.name
        return [function for function in functions if function.name == name]
    if choice == "none" or not functions:
        return []
    if choice == "auto" and messages and messages[-1].get("role") == "tool":
        return []
    said = words(last_text_of_role("user", messages))
    scores = [_score(function, said) for function in functions]
    best = max(scores)
    if choice == "auto" and best < _MIN_SCORE:
        return []
    return [function for function, each in zip(functions, scores, strict=True) if each == best]


def _score(function: Function, said: set[str]) -> int:
    name = words(function.name)
    about = words(function.description or "") | words(" ".join(_texts(function.parameters)))
    return 2 * len(said & name) + len(said & (about - name))


def _texts(schema: Any) -> list[str]:
    """The names, descriptions and enum values of parameters."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    texts: list[str] = []
    for name, parameter in properties.items() if isinstance(properties, dict) else ():
        texts.append(name)
        if isinstance(parameter, dict):
            values = parameter.get("enum")
            texts += [each for each in (parameter.get("description"), *(values or ())) if isinstance(each, str)]
    return texts
