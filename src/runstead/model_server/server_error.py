"""Finds the error in an answer of a model server, in any of the shapes that servers use."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runstead.model_server.coercion import as_number, as_object, as_text
from runstead.model_server.json_document import NotJSON, TooLarge, decode, decode_text

__all__ = ["EXHAUSTED", "ServerError", "error_in", "read_error", "read_error_body"]

_STATUS_FIELDS = (
    "code", "status", "status_code", "statuscode", "http_status", "error_code", "errorcode", "type", "__type",
    "error_type",
)  # fmt: skip
_WORDS_FIELDS = (
    "error", "message", "detail", "msg", "error_msg", "status_msg", "error_message", "errormessage", "errmsg", "errors",
    "faultstring", "fault", "err", "error_description", "exception", "title", "reason", "text",
)  # fmt: skip
_NAMED_WORDS = frozenset(_WORDS_FIELDS) - {"error", "errors", "title", "reason", "text"}
"""Fields whose words alone make an error of a document without choices."""
_INNER = ("error", "errors", "detail", "fault", "response", "responsemetadata", "metadata", "raw")
"""Fields with the error of another server."""
_GENERIC = re.compile(r"provider returned error|internal server error|upstream error|bad request", re.IGNORECASE)
_MAX_DEPTH = 6
_MAX_DOCUMENT = 2**16
"""Characters of a document inside a text."""
EXHAUSTED = frozenset({"insufficient_quota", "exceeded_current_quota_error"})
"""The kinds of a 429 that no waiting ends."""
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
    "exceeded_current_quota_error": 429,
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

_STATUS_FRAGMENTS: Sequence[tuple[int, str]] = (
    (429, r"rate_?limit|too_many|throttl|request_limit|slow_down|resource_exhausted|quota|concurrency"),
    (503, r"overload|unavailable|capacity|not_ready|busy"),
    (504, r"time_?out|timed_out|deadline"),
    (400, r"invalid_(?:param|arg|req|input)|validation|bad_request|context_(?:length|window)"),
)
"""The statuses of other words, by the first of these that they contain."""

_WAITS: Mapping[str, int] = {
    "retry_after": 1, "retry-after": 1, "retryafter": 1, "retry_after_seconds": 1, "retrydelay": 1,
    "retry_after_ms": 1000, "retry-after-ms": 1000,
}  # fmt: skip
"""Fields for the wait before a retry, and their units in a second."""
_TRY_AGAIN = re.compile(
    r"(?:try again|retry)(?: in| after) (?:(\d{1,4})m ?)?(\d{1,6}(?:\.\d{1,9})?) ?(ms|s)", re.IGNORECASE
)

_RATE_LIMIT = re.compile(r"rate[ _-]?limit|too many requests|(?:^|status|code|error|http)\W*429\b", re.IGNORECASE)
_REJECTED = re.compile(r"bad ?request|invalid_request|validation ?exception|unsupported ?param", re.IGNORECASE)
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

    An object without choices is an error if it has the words of one, whatever their field is called.
    """
    fields = _lower(document)
    if any(map(_says_something, (fields.get("error"), fields.get("errors")))):
        return read_error(document)
    refused = as_object(fields.get("base_resp"))
    if as_number(refused.get("status_code")):
        return read_error(refused)
    if fields.get("choices"):
        return None
    named = "error" in (fields.get("object"), fields.get("type"), fields.get("event"), fields.get("status"))
    named = named or fields.get("success") is False or fields.get("ok") is False
    if not named and _says_something(fields.get("usage")):
        return None
    coded = as_number(fields.get("error_code")) or any(_status(fields.get(name)) for name in _STATUS_FIELDS[:7])
    if named or coded or any(_words(fields.get(name)) for name in _NAMED_WORDS):
        return read_error(document)
    inner = (fields.get("response"), fields.get("responsemetadata"), fields.get("output"))
    return next(filter(None, (error_in(each) for each in inner if isinstance(each, dict))), None)


def read_error(value: Any) -> ServerError:
    """The error in a decoded value, which is known to be one."""
    words = _words(value)
    status = next(_statuses(value), None)
    if status is None or status >= 500:
        # A gateway that calls every error of another server its own repeats at least its words.
        status = _status_in_words(words) or status
    return ServerError(words, status, _retry_after(value) or _retry_after_in_words(words))


def read_error_body(body: bytes) -> ServerError:
    """The error in the body of an error answer; without words if the body is an HTML page."""
    try:
        return read_error(decode(body))
    except (NotJSON, TooLarge):
        return read_error("" if body.lstrip()[:1] == b"<" else body.decode("utf-8", "replace"))


def _says_something(error: Any) -> bool:
    """Whether the field `error` has an error; many servers always send it."""
    return any(error.values()) if isinstance(error, dict) else bool(error)


def _words(value: Any, depth: int = 0) -> str:
    """The message of a decoded error, in any of the shapes that servers use.

    A gateway's own words are often general, and those of the server behind it are in its `metadata`.
    """
    value = _decoded(value)
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(each, depth + 1) for each in value[:5])))
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return as_text(value[:_MAX_WORDS]) if isinstance(value, str) else ""
    fields = _lower(value)
    raw = _words(as_object(fields.get("metadata")).get("raw"), depth + 1)
    for name in _WORDS_FIELDS:
        if words := _words(fields.get(name), depth + 1):
            kind = fields["type"] if as_text(fields.get("type")) in EXHAUSTED else fields.get("code")
            words = raw if raw and _GENERIC.fullmatch(words.strip(" .")) else words
            return f"{words} ({kind})" if isinstance(kind, str) and kind and not kind.isdigit() else words
    data = fields.get("data")
    return raw or (_words(data, depth + 1) if isinstance(data, dict) else "")


def _lower(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields by their names in lower case; some servers write `Message`."""
    return {name.lower(): value for name, value in fields.items()}


def _decoded(value: Any) -> Any:
    """The value, or the document in a text: gateways put the answer of another server into one."""
    if not isinstance(value, str):
        return value
    text = value.strip().removeprefix("data:").lstrip()
    if text[:1] not in {"{", "["} or len(text) > _MAX_DOCUMENT:
        return value
    try:
        return decode_text(text)
    except (NotJSON, TooLarge):
        return value


def _statuses(value: Any, depth: int = 0) -> Iterator[int]:
    """The statuses that an error names, the innermost first."""
    value = _decoded(value)
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for each in value[:5]:
            yield from _statuses(each, depth + 1)
    elif isinstance(value, dict):
        fields = _lower(value)
        for name in (*_INNER, "message"):
            yield from _statuses(fields.get(name), depth + 1)
        for name in _STATUS_FIELDS:
            if (status := _status(fields.get(name))) is not None:
                yield status


def _status(value: Any) -> int | None:
    number = as_number(value)
    if number is not None:
        return number if 400 <= number <= 599 else None
    if not isinstance(value, str) or len(value) > 64:
        return None
    name = _snake_case(value)
    known = _STATUSES.get(name)
    return known or next((status for status, words in _STATUS_FRAGMENTS if re.search(words, name)), None)


def _snake_case(words: str) -> str:
    """A name in any case (`InternalServerError`, `RESOURCE_EXHAUSTED`, `Too Many Requests`) in snake case."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words.strip()).lower()).strip("_")


def _status_in_words(words: str) -> int | None:
    if _RATE_LIMIT.search(words):
        return 429
    if _OVERLOADED.search(words):
        return 503
    return 400 if _REJECTED.search(words) else None


def _retry_after(value: Any, depth: int = 0) -> float | None:
    """The wait that a decoded error asks for, in seconds."""
    value = _decoded(value)
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, list):
        return next(filter(None, (_retry_after(each, depth + 1) for each in value[:5])), None)
    fields = _lower(as_object(value))
    for name, unit in _WAITS.items():
        seconds = _seconds(fields.get(name))
        if seconds is not None:
            return seconds / unit
    inner = (fields.get(name) for name in ("error", "details", "metadata", "headers", "raw"))
    return next(filter(None, (_retry_after(each, depth + 1) for each in inner)), None)


def _seconds(value: Any) -> float | None:
    """A number of seconds, also in digits, with or without the unit `s`."""
    if isinstance(value, str):
        digits = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*s?\s*", value)
        return float(digits[1]) if digits else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and 0 <= value <= 10**9 else None


def _retry_after_in_words(words: str) -> float | None:
    found = _TRY_AGAIN.search(words)
    if found is None:
        return None
    minutes, number, unit = found.groups()
    return 60 * float(minutes or 0) + float(number) * (0.001 if unit == "ms" else 1)
