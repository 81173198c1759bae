"""The settings for a model server's request fields: which are left out, renamed or added."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

__all__ = ["OPTIONAL_FIELDS", "STRICT", "Fields", "check_fields"]

OPTIONAL_FIELDS: Final = (
    "stream", "stream_options", "temperature", "top_p", "reasoning_effort", "parallel_tool_calls", "tool_choice",
    "response_format", "max_tokens",
)  # fmt: skip
"""The fields that a request can do without, or that a server may know by another name."""

STRICT: Final = "strict"
"""The field of a function, which can be left out too."""

_REQUIRED_FIELDS = frozenset({"model", "messages", "tools"})
_NAMES = f"(there are: {', '.join(OPTIONAL_FIELDS)})"


class Fields(Struct, frozen=True, kw_only=True):
    """How the fields of a request are sent."""

    leave_out: frozenset[str] = frozenset()
    rename: Mapping[str, str] = {}
    """Names on the wire."""
    add: Mapping[str, Any] = {}
    """Sent where the request has no field of that name."""

    def apply(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body to send."""
        sent = {wire_name: body[name] for wire_name, name in self.names(body).items()}
        if STRICT in self.leave_out and "tools" in sent:
            sent["tools"] = [_not_strict(tool) for tool in sent["tools"]]
        return {**self.add, **sent}

    def names(self, body: Mapping[str, Any]) -> dict[str, str]:
        """The fields of a body that are sent, by their names on the wire."""
        left_out = self.leave_out
        if "stream" in left_out:
            left_out |= {"stream_options"}  # servers refuse it in a request that is not streamed
        return {self.wire_name(name): name for name in body if name not in left_out}

    def wire_name(self, name: str) -> str:
        return self.rename.get(name, name)

    def changed(self, leave_out: Iterable[str], rename: Mapping[str, str]) -> "Fields":
        """The same with more fields left out, and others renamed."""
        return Fields(leave_out=self.leave_out.union(leave_out), rename={**self.rename, **rename}, add=self.add)


def check_fields(fields: Fields) -> None:
    """`ValueError`, in words, if a field has a wrong name or cannot be sent."""
    for setting, names in (("leave_out", sorted(fields.leave_out - {STRICT})), ("rename", list(fields.rename))):
        for name in names:
            if name not in OPTIONAL_FIELDS:
                raise ValueError(f"`{setting}` names '{name}', which is no optional field of a request {_NAMES}.")
    if both := sorted(fields.leave_out & fields.rename.keys()):
        raise ValueError(f"'{both[0]}' is in `leave_out` and in `rename`.")
    targets = list(fields.rename.values())
    for name, target in fields.rename.items():
        taken = target in _REQUIRED_FIELDS or targets.count(target) > 1
        if not target or taken or (target != name and target in OPTIONAL_FIELDS):
            raise ValueError(f"`rename` gives '{name}' the name '{target}', which {_taken_by(target)}.")
    for name, value in fields.add.items():
        if name in _REQUIRED_FIELDS or name == "stream":
            raise ValueError(f"`add` names '{name}', which every request has.")
        if not _is_json(value):
            raise ValueError(f"`add` gives '{name}' a value that is not JSON.")


def _not_strict(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {**tool, "function": {name: value for name, value in tool["function"].items() if name != STRICT}}


def _taken_by(target: str) -> str:
    return "another field has" if target else "is empty"


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return isinstance(value, str | int | float | bool)
