"""Adjusts requests to the fields that a model server refuses: this call and the next ones are sent without them.

```
encode ──▶ 400 or 422 that names a field ──▶ adjust ──▶ encode ──▶ an answer ──▶ accepted: remembered and logged
```
Only fields are left out that do not change what is asked for: sampling, effort, parallel calls, streaming, the token
counts of a stream. Of the token limit the other name is tried. Any other field fails the call.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET

from runstead.domain.model_call import ModelRequest
from runstead.llm.openai_chat.request.encoding import request_fields
from runstead.llm.openai_chat.request.field_settings import STRICT, Fields
from runstead.llm.openai_chat.request.refused_fields import is_unknown_field, refused_fields
from runstead.model_server.failure import Failure

__all__ = ["AdjustedRequest", "Adjustment", "Adjustments"]

_log = logging.getLogger("runstead.llm")

_DISPENSABLE: Final = ("stream_options", "parallel_tool_calls", "top_p", "temperature", "reasoning_effort", "stream")
"""In the order in which they are left out if the server's words do not say which one."""
_NEEDED: Final = ("response_format", "tool_choice", "max_tokens")
"""Fields that no call is sent without, unless the configuration leaves them out."""
_BY_VALUE = frozenset({"temperature", "top_p", "reasoning_effort"})
"""Fields that a server may refuse for their value, or for another one beside them."""
_NOT_CHOSEN = frozenset({"stream", "stream_options"})
_TOKEN_LIMITS: Final = ("max_tokens", "max_completion_tokens")
_MAX_REMEMBERED = 1000

Key: TypeAlias = tuple[Any, ...]
_encode = msgspec.json.Encoder().encode


class Adjustment(NamedTuple):
    """The fields that are left out or renamed."""

    leave_out: frozenset[str] = frozenset()
    rename: Mapping[str, str] = {}


class Adjustments:
    """The adjustments that one model server needed, by model, until the process ends."""

    def __init__(self) -> None:
        self._known: dict[Key, Adjustment] = {}

    def of(self, request: ModelRequest) -> Adjustment:
        """The adjustments of earlier calls like this one."""
        of_model, of_values = (self._known.get(key, Adjustment()) for key in _keys(request))
        return Adjustment(of_model.leave_out | of_values.leave_out, of_model.rename)

    def remember(self, request: ModelRequest, adjustment: Adjustment) -> None:
        by_value = adjustment.leave_out & _BY_VALUE
        of_model, of_values = _keys(request)
        self._add(of_model, Adjustment(adjustment.leave_out - by_value, adjustment.rename))
        self._add(of_values, Adjustment(by_value))
        while len(self._known) > _MAX_REMEMBERED:
            del self._known[next(iter(self._known))]

    def _add(self, key: Key, more: Adjustment) -> None:
        # A concurrent call may have added another adjustment.
        before = self._known.get(key, Adjustment())
        if more != Adjustment():
            self._known[key] = Adjustment(before.leave_out | more.leave_out, {**before.rename, **more.rename})


class AdjustedRequest:
    """One model call, and the fields that are sent for it."""

    def __init__(self, request: ModelRequest, upstream: str, fields: Fields, known: Adjustments) -> None:
        self._request = request
        self._upstream = upstream
        self._fields = fields
        self._known = known
        self._body = request_fields(request)
        self._adjustment = known.of(request)

    def encode(self) -> bytes:
        """The JSON body to post."""
        return _encode(self._adjusted.apply(self._body))

    def adjust(self, failure: Failure) -> bool:
        """Adjust the request to a failure. False if that cannot help: the failure is the call's."""
        if not failure.rejected:
            return False
        leave_out = frozenset(self._named_by(failure, _DISPENSABLE))
        rename = {} if leave_out else self._other_limit(failure)
        self._adjustment = Adjustment(self._adjustment.leave_out | leave_out, {**self._adjustment.rename, **rename})
        return bool(leave_out or rename)

    def send_instead(self, request: ModelRequest) -> None:
        """Send this request, with the adjustments so far."""
        self._request = request
        self._body = request_fields(request)

    def accepted(self) -> None:
        """The server has accepted the adjusted request: adjust similar requests in the same way from now on."""
        known, adjustment = self._known.of(self._request), self._adjustment
        if adjustment == known:
            return
        self._known.remember(self._request, adjustment)
        for name in sorted(adjustment.leave_out - known.leave_out):
            self._log(name, "it is left out")
        for name in adjustment.rename.keys() - known.rename.keys():
            self._log(name, f"`{adjustment.rename[name]}` is sent instead")

    def remedy(self, failure: Failure) -> str:
        """Advice for the server's administrator about a refused field; empty if the failure names none."""
        if not failure.rejected:
            return ""
        fields, answer = self._adjusted, failure.answer
        own = fields.names(self._body)
        for name in refused_fields(answer, {*own, *fields.add}, [name for name in fields.add if name not in own]):
            return f" (`{name}` is in `add` of this [[upstream]])"
        strict = [STRICT] if any(function.strict for function in self._request.functions) else []
        if is_unknown_field(answer):
            for name in [*self._named_by(failure, _NEEDED), *refused_fields(answer, strict, strict)]:
                return f" (to send no `{name}`, add it to `leave_out` of this [[upstream]])"
        return ""

    @property
    def _adjusted(self) -> Fields:
        return self._fields.changed(*self._adjustment)

    def _named_by(self, failure: Failure, names: tuple[str, ...]) -> list[str]:
        """Those of the fields `names` that were sent, and that a failure names."""
        fields = self._adjusted
        own = fields.names(self._body)
        candidates = sorted((each for each in own if own[each] in names), key=lambda each: names.index(own[each]))
        return [own[each] for each in refused_fields(failure.answer, {*own, *fields.add}, candidates)]

    def _other_limit(self, failure: Failure) -> Mapping[str, str]:
        """The other name of the token limit, if the server does not know the one that was sent."""
        before = self._fields.wire_name("max_tokens")
        unknown = "max_tokens" not in self._adjustment.rename and is_unknown_field(failure.answer)
        if before not in _TOKEN_LIMITS or not unknown or not self._named_by(failure, ("max_tokens",)):
            return {}
        return {"max_tokens": next(name for name in _TOKEN_LIMITS if name != before)}

    def _log(self, name: str, consequence: str) -> None:
        wire_name, model = self._fields.wire_name(name), self._request.model
        _log.log(
            logging.INFO if name in _NOT_CHOSEN or name == "max_tokens" else logging.WARNING,
            "The model server '%s' refuses `%s` for the model '%s': %s",
            self._upstream, wire_name, model, consequence,
            extra={
                "run_id": None if self._request.run_id is UNSET else self._request.run_id,
                "upstream": self._upstream,
                "model": model,
                "field": wire_name,
            },
        )  # fmt: skip


def _keys(request: ModelRequest) -> tuple[Key, Key]:
    """The key of the remembered adjustments: the model, and its sampling."""
    return (request.model,), (request.model, request.temperature, request.top_p, request.reasoning_effort)
