"""Finds the error in an answer of a model server, in any of the shapes that servers use."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from runstead.llm.openai_chat.json_document import NotJSON, TooLarge, decode
from runstead.llm.openai_chat.lenient import as_number, as_object, as_text

__all__ = ["ServerError", "error_in", "error_message", "read_error"]

_STATUS_FIELDS = ("code", "status", "status_code", "http_status", "error_code", "type")
_WORDS_FIELDS = ("error", "message", "detail", "msg", "error_msg", "status_msg", "error_message", "errors", "text")
_EXHAUSTED = "insufficient_quota"
"""The kind of a 429 that no waiting ends."""
_MAX_WORDS = 2_000
"""Characters that are looked at in the words of an error."""

_STATUSES: Mapping[str, int] = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "rate_limit": 429,
    "rate_limited": 429,
    "rate_limit_reached": 429,
    "too_many_requests": 429,
    "resource_exhausted": 429,
    "throttling": 429,
    "throttling_exception": 429,
    "throttled": 429,
    "requests": 429,
    "tokens": 429,
    "insufficient_quota": 429,
    "overloaded_error": 503,
    "overloaded": 503,
    "engine_overloaded": 503,
    "engine_overloaded_error": 503,
    "model_overloaded": 503,
    "server_overloaded": 503,
    "service_unavailable": 503,
    "service_unavailable_error": 503,
    "unavailable": 503,
    "timeout": 504,
    "timeout_error": 504,
    "deadline_exceeded": 504,
    "gateway_timeout": 504,
    "server_error": 500,
    "internal": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "api_error": 500,
    "engine_error": 500,
    "bad_gateway": 502,
    "invalid_request_error": 400,
    "invalid_request": 400,
    "bad_request": 400,
    "bad_request_error": 400,
    "invalid_argument": 400,
    "context_length_exceeded": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "unauthenticated": 401,
    "permission_error": 403,
    "permission_denied": 403,
    "not_found": 404,
    "not_found_error": 404,
    "model_not_found": 404,
}
"""The HTTP statuses of the words that servers use for the kind of an error, in snake case."""

_RATE_LIMIT = re.compile(r"rate[ _-]?limit|too many requests|(?:^|status|code|error|http)\W*429\b", re.IGNORECASE)
_OVERLOADED = re.compile(r"overloaded|temporarily unavailable|(?:^|status|code|error|http)\W*503\b", re.IGNORECASE)


class ServerError(NamedTuple):
    """An error as the server describes it."""

    words: str
    status: int | None = None
    """The HTTP status that it stands for, if the server says so."""
    retry_after: float | None = None
    """Seconds that the server asks to wait."""


def error_in(document: Mapping[str, Any]) -> ServerError | None:
    """The error in one event of a stream, or in an unstreamed answer; None if it has none.

    An object with neither choices nor usage is an error if it has the words of one, whatever their field is called.
    """
    if any(map(_says_something, (document.get("error"), document.get("errors")))):
        return read_error(document)
    refused = as_object(document.get("base_resp"))
    if as_number(refused.get("status_code")):
        return read_error(refused)
    if document.get("choices") or document.get("usage"):
        return None
    named = "error" in (document.get("object"), document.get("type")) or document.get("success") is False
    coded = as_number(document.get("error_code")) or any(_status(document.get(field)) for field in _STATUS_FIELDS[:4])
    if named or coded or any(_words(document.get(field)) for field in _WORDS_FIELDS[1:7]):
        return read_error(document)
    return None


def read_error(value: Any) -> ServerError:
    """The error in a decoded value, which is known to be one."""
    words = _words(value)
    status = next(_statuses(value), None) or _status_in_words(words)
    return ServerError(words, status, _retry_after(value))


def error_message(body: bytes) -> str:
    """The message in the body of an error answer; empty if the body is an HTML page."""
    try:
        return _words(decode(body))
    except (NotJSON, TooLarge):
        return "" if body.lstrip()[:1] == b"<" else body.decode("utf-8", "replace")


def _says_something(error: Any) -> bool:
    """Whether the field `error` has an error; many servers always send it."""
    return any(error.values()) if isinstance(error, dict) else bool(error)


def _words(value: Any) -> str:
    """The message of a decoded error, in any of the shapes that servers use."""
    if isinstance(value, list):
        return "; ".join(filter(None, map(_words, value[:5])))
    if not isinstance(value, dict):
        return as_text(value[:_MAX_WORDS]) if isinstance(value, str) else ""
    for field in _WORDS_FIELDS:
        if words := _words(value.get(field)):
            kind = _EXHAUSTED if value.get("type") == _EXHAUSTED else value.get("code")
            return f"{words} ({kind})" if isinstance(kind, str) and kind and not kind.isdigit() else words
    return ""


def _statuses(value: Any) -> Iterator[int]:
    """The statuses that an error names, the innermost first."""
    if isinstance(value, list):
        for each in value[:5]:
            yield from _statuses(each)
    elif isinstance(value, dict):
        for inner in ("error", "errors", "detail"):
            yield from _statuses(value.get(inner))
        for field in _STATUS_FIELDS:
            if (status := _status(value.get(field))) is not None:
                yield status


def _status(value: Any) -> int | None:
    number = as_number(value)
    if number is not None:
        return number if 400 <= number <= 599 else None
    return _STATUSES.get(_snake_case(value)) if isinstance(value, str) and len(value) <= 64 else None


def _snake_case(words: str) -> str:
    """A name in any case (`InternalServerError`, `RESOURCE_EXHAUSTED`, `Too Many Requests`) in snake case."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words.strip()).lower()).strip("_")


def _status_in_words(words: str) -> int | None:
    if _RATE_LIMIT.search(words):
        return 429
    return 503 if _OVERLOADED.search(words) else None


def _retry_after(value: Any) -> float | None:
    fields = as_object(value)
    for field, unit in (("retry_after", 1), ("retry_after_seconds", 1), ("retry_after_ms", 1000)):
        seconds = fields.get(field)
        if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds <= 10**9:
            return seconds / unit
    return _retry_after(fields["error"]) if isinstance(fields.get("error"), dict) else None
