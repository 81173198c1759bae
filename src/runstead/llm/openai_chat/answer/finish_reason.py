"""The meaning of finish reasons. The API has five; servers have many more, in any case and spelling."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from runstead.model_server.coercion import as_object, as_text

__all__ = ["FinishReasons", "Meaning", "meaning_of", "reason_of"]

Meaning: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter", "error"]

_REASONS: Mapping[Meaning, Sequence[str]] = {
    "stop": (
        "stop", "end_turn", "end_of_turn", "eos", "eos_token", "end", "eot", "stop_sequence", "stop_token", "complete",
        "completed", "complete_message", "done", "finish", "finished", "normal", "success", "natural", "pause_turn",
    ),
    "length": (
        "length", "max_tokens", "model_length", "max_length", "max_output_tokens", "max_completion_tokens",
        "max_new_tokens", "token_limit", "context_length", "context_length_exceeded", "context_window_exceeded",
        "model_context_window_exceeded", "limit", "truncated", "incomplete", "budget",
    ),
    "tool_calls": ("tool_calls", "tool_call", "function_call", "function_calls", "tool_use", "tools", "functions"),
    "content_filter": (
        "content_filter", "content_filtered", "safety", "sensitive", "recitation", "blocklist", "prohibited_content",
        "spii", "image_safety", "language", "refusal", "guardrail_intervened", "moderation", "flagged", "blocked",
    ),
    "error": (
        "error", "abort", "aborted", "network_error", "insufficient_system_resource", "malformed_function_call",
        "unexpected_tool_call", "too_many_tool_calls", "missing_thought_signature", "malformed_response",
        "other", "finish_reason_unspecified", "unknown", "cancelled", "canceled", "cancel", "timeout", "failed",
        "failure", "exception", "disconnect",
    ),
}  # fmt: skip
"""The reasons that servers are known to send, in snake case."""

_FRAGMENTS: Sequence[tuple[Meaning, Sequence[str]]] = (
    ("error", (
        "error", "abort", "fail", "malform", "cancel", "time_?out", "exception", "invalid", "unavailable", "overload",
        "interrupt", "crash", "insuff", "network", "connection", "deadline", "preempt", "evict", "kill", "shut_?down",
        "busy", "rate_?limit", "quota", "unfinished", "not_finished",
    )),
    ("content_filter", (
        "filter", "safety", "sensitiv", "prohibit", "block", "moderat", "policy", "guardrail", "refus", "censor",
        "unsafe", "toxic", "hate", "violen", "illegal", "copyright", "risk_?control",
    )),
    ("length", ("length", "limit", "max_", "exceed", "truncat", "too_long", "overflow", "out_of_tokens")),
    ("tool_calls", ("tool", "function")),
    ("stop", ("stop", "end", "eos", "complete", "finish", "done")),
)  # fmt: skip
"""Meanings of other reasons: that of the first of these words that the reason contains."""

_MEANINGS: Mapping[str, Meaning] = {reason: meaning for meaning, reasons in _REASONS.items() for reason in reasons}


def reason_of(value: Any) -> str:
    """The finish reason of a choice as text; empty if there is none yet. Some servers send it as an object."""
    if isinstance(value, dict):
        return next(filter(None, (as_text(as_object(value).get(field)) for field in ("type", "reason", "value"))), "")
    if isinstance(value, list):
        return reason_of(value[0]) if len(value) == 1 and not isinstance(value[0], list) else ""
    reason = as_text(value).strip()
    return "" if reason.lower() in {"null", "none"} else reason


def meaning_of(reason: str) -> Meaning | None:
    """The meaning of a finish reason; None if it is unknown."""
    name = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", reason[:200]).lower()).strip("_")
    known = _MEANINGS.get(name) or _MEANINGS.get(name.removeprefix("finish_reason_"))
    return known or next((meaning for meaning, words in _FRAGMENTS if re.search("|".join(words), name)), None)


class FinishReasons:
    """The finish reasons of one answer. Some servers send one in every chunk, or before the end."""

    def __init__(self) -> None:
        self._reason = ""
        self.meaning: Meaning | None = None
        """The meaning of the reason; None if it is unknown, or if there is none."""
        self.certain = False
        """Whether the answer has ended: nothing has followed the reason."""

    @property
    def sent(self) -> bool:
        """Whether a reason was sent."""
        return bool(self._reason)

    @property
    def named(self) -> str:
        """The reason in words, for a message."""
        return f"the finish reason '{self._reason}'" if self._reason else "no finish reason"

    @property
    def whole(self) -> bool:
        """Whether the answer may be complete."""
        return self.meaning not in {"length", "error"}

    def add(self, value: Any, *, has_content: bool) -> None:
        """Take over the reason of one chunk, if it has one."""
        if has_content and self._reason:
            self.certain = False
        # This runs once for every token.
        reason = reason_of(value) if value else ""
        if not reason:
            return
        self.certain = self.certain or not has_content or not self._reason
        if has_content or self.meaning in {None, "stop", "tool_calls"}:
            self._reason, self.meaning = reason, meaning_of(reason)
