"""The usage of a call, as far as its server reports it."""

from collections.abc import Mapping
from typing import Any

from runstead.model_server.coercion import as_number, as_object
from runstead.wire.run import CompletionTokensDetails, PromptTokensDetails, Usage

__all__ = ["Tokens"]

_MAX = 10**9
"""Tokens. No call uses as many: a larger number counts something else."""
_COMPLETION = ("completion_tokens", "output_tokens", "completionTokens", "outputTokens", "candidatesTokenCount")


class Tokens:
    """The counts of a call. Servers report them once, or again and again as running totals, whole or in parts."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, value: Any) -> None:
        """Take over what a report counts. What it does not count, or counts as 0, stays as it was."""
        fields = as_object(value[-1] if isinstance(value, list) and value else value)
        if not fields:
            return
        prompt = fields.get("prompt_tokens_details"), fields.get("input_tokens_details")
        completion = fields.get("completion_tokens_details"), fields.get("output_tokens_details")
        self._take("prompt", fields, "prompt_tokens", "input_tokens", "promptTokens", "inputTokens", "promptTokenCount")
        self._take("completion", fields, *_COMPLETION)
        self._take("total", fields, "total_tokens", "totalTokens", "totalTokenCount")
        for details in map(as_object, (*prompt, fields)):
            self._take("cached", details, "cached_tokens", "prompt_cache_hit_tokens")
        for details in map(as_object, (*completion, fields)):
            self._take("reasoning", details, "reasoning_tokens")

    def usage(self) -> Usage | None:
        """The usage as the wire type of this API; 0 stands for what was not counted. None without a count."""
        count = self._counts.get
        prompt, completion = count("prompt", 0), count("completion", 0)
        if not prompt and not completion:
            return None
        # A server that counts one of them and the sum has counted both.
        rest = max(0, count("total", 0) - prompt - completion)
        prompt, completion = prompt or rest, completion or rest
        return Usage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=max(count("total", 0), prompt + completion),
            prompt_token_details=PromptTokensDetails(cached_tokens=count("cached", 0)),
            completion_tokens_details=CompletionTokensDetails(reasoning_tokens=count("reasoning", 0)),
        )

    def _take(self, name: str, fields: Mapping[str, Any], *spellings: str) -> None:
        for spelling in spellings:
            number = as_number(fields.get(spelling))
            if number is not None and 0 < number <= _MAX:
                self._counts[name] = number
                return
