"""Which options of an assistant or a run were chosen, where the API shows a default for the others.

A run shows a temperature of 1.0 whether a request chose it or not. A model server gets only what was chosen, because
some servers refuse an option, and others have defaults that suit their models better. Any other value than the default
was chosen for certain, so only the defaults that were chosen are recorded.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import UNSET

from runstead.wire.assistant import AssistantRequest, AssistantUpdate
from runstead.wire.run import Run, RunOptions

__all__ = ["NONE_CHOSEN", "ChosenDefaults", "in_request", "of_run", "of_update", "value_if_chosen"]

ChosenDefaults: TypeAlias = frozenset[str]
"""The names of the options whose default was chosen."""

NONE_CHOSEN: ChosenDefaults = frozenset()

_DEFAULTS: Mapping[str, Any] = {"temperature": 1.0, "top_p": 1.0, "parallel_tool_calls": True}
"""The options whose default is shown like a choice. All other options are null or `auto` unless they were chosen."""


def in_request(request: AssistantRequest | AssistantUpdate | RunOptions) -> ChosenDefaults:
    """The defaults that a request chooses. A null leaves an option open."""
    return frozenset(name for name, default in _DEFAULTS.items() if getattr(request, name, None) == default)


def of_run(request: RunOptions, assistant: ChosenDefaults) -> ChosenDefaults:
    """The defaults that a new run has chosen. An option that its request leaves open is the assistant's."""
    return frozenset(name for name in assistant if getattr(request, name, None) in (None, UNSET)) | in_request(request)


def of_update(before: ChosenDefaults, request: AssistantUpdate) -> ChosenDefaults:
    """The defaults that an assistant has chosen after an update. A null takes a choice back."""
    return frozenset(name for name in before if getattr(request, name, UNSET) is UNSET) | in_request(request)


def value_if_chosen(run: Run, name: str, defaults: ChosenDefaults) -> Any:
    """The value of a run's option; None if it was not chosen."""
    value = getattr(run, name)
    return value if name in defaults or value != _DEFAULTS[name] else None
