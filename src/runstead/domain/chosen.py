"""Which options of an assistant or a run were chosen, where the API shows a default for the others.

A run shows a temperature of 1.0 whether a request chose it or not. A model server gets only what was chosen, because
some servers refuse an option, and others have defaults that suit their models better.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import UNSET

from runstead.wire.assistant import Assistant, AssistantRequest, AssistantUpdate
from runstead.wire.run import Run, RunOptions

__all__ = ["NOTHING", "Chosen", "evident", "given", "of_run", "updated", "value_if_chosen"]

Chosen: TypeAlias = frozenset[str]
"""The names of the options that were chosen."""

NOTHING: Chosen = frozenset()

_DEFAULTS: Mapping[str, Any] = {"temperature": 1.0, "top_p": 1.0, "parallel_tool_calls": True}
"""The options whose default is shown like a choice. All other options are null or `auto` unless they were chosen."""


def given(request: AssistantRequest | AssistantUpdate | RunOptions) -> Chosen:
    """The options that a request sets. A null leaves an option open."""
    return frozenset(name for name in _DEFAULTS if getattr(request, name, None) not in (None, UNSET))


def of_run(request: RunOptions, assistant: Chosen) -> Chosen:
    """The options that a new run has chosen: those of its request, and those of its assistant."""
    return given(request) | assistant


def updated(before: Chosen, request: AssistantUpdate) -> Chosen:
    """The options that an assistant has chosen after an update. A null takes a choice back."""
    named = frozenset(name for name in _DEFAULTS if getattr(request, name, UNSET) is not UNSET)
    return (before - named) | given(request)


def evident(shown: Assistant | Run) -> Chosen:
    """The options whose value is not the default, so that it must have been chosen."""
    names = [name for name, default in _DEFAULTS.items() if getattr(shown, name, default) not in (None, default)]
    return frozenset(names) if names else NOTHING


def value_if_chosen(run: Run, name: str, chosen: Chosen) -> Any:
    """The value of a run's option; None if it was not chosen."""
    return getattr(run, name) if name in chosen else None
