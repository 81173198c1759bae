"""From the bytes of an HTTP response to objects, events and errors. No IO."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

import msgspec

from runstead.client.http.nesting import MAX_UNCHECKED, check_nesting
from runstead.client.http.retries import ErrorResponse
from runstead.client.http.server_text import TextSanitizer, safe_text
from runstead.wire.codec.json_shape import ShapeError
from runstead.wire.codec.sse import MAX_FRAME, Decoder
from runstead.wire.error import ApiError, ErrorBody, ErrorDetails, RateLimited, ServerError, Unreachable, api_error
from runstead.wire.event import DONE, EVENT_DATA, Event, EventName, decode_event

__all__ = [
    "ContentHead",
    "EventReader",
    "Headers",
    "advice",
    "content_head",
    "error_of",
    "header",
    "object_of",
    "poll_after",
    "supports_idempotency",
]

T = TypeVar("T")
Headers = list[tuple[bytes, bytes]]

_EXACT_NAME = re.compile(r"filename\*=UTF-8''([^;\s]+)", re.IGNORECASE)
_PLAIN_NAME = re.compile(r'filename="([^"]*)"', re.IGNORECASE)

_EXCERPT_LENGTH = 200
"""Characters of a response that is not JSON, shown in the error. The same of a header, a parameter and a code."""

_ERROR = str(EventName.ERROR.value)
"""A plain string compares in a fraction of the time of the enum's member."""

_MAX_POLL_AFTER = 60.0
_MIN_POLL_AFTER = 0.01
"""Seconds. What a server asks for beyond these is not followed."""

_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ShapeError)
"""The errors of decoding: no JSON, another shape, text that is not UTF-8, or nested too deeply."""

_decoder: Callable[[Any], msgspec.json.Decoder[Any]] = cache(msgspec.json.Decoder)


def object_of(kind: type[T], body: bytes, sanitize: TextSanitizer) -> T:
    """The object in a response. Fields and values of newer or foreign servers are tolerated."""
    try:
        check_nesting(kind, body)
        found: T = _decoder(kind).decode(body)
        return found
    except msgspec.ValidationError:
        return _lenient(kind, body, sanitize)
    except _NOT_JSON as error:
        raise _undecodable("response", body, error, sanitize) from None


def _undecodable(what: str, body: bytes, error: Exception, sanitize: TextSanitizer) -> ServerError:
    if isinstance(error, RecursionError | ShapeError):
        return ServerError(f"The {what} is nested too deeply, or has too many values.")
    hint = " Is the URL that of a server's API?" if what == "response" else ""
    return ServerError(f"The {what} is not JSON: {_excerpt(body, sanitize)}{hint}")


def _lenient(kind: type[T], body: bytes, sanitize: TextSanitizer) -> T:
    """The object, without fields that this version does not know."""
    from runstead.wire.codec.response import decode_lenient  # noqa: PLC0415 (rarely needed, and slow to import)

    try:
        return decode_lenient(kind, body)
    except msgspec.ValidationError as error:
        raise ServerError(sanitize(f"The response is not a {kind.__name__}: {error}")) from None
    except _NOT_JSON as error:
        raise _undecodable("response", body, error, sanitize) from None


def header(headers: Headers, name: bytes) -> str | None:
    """The value of a header; `name` is in lower case."""
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), None)


def error_of(status: int, headers: Headers, body: bytes, sanitize: TextSanitizer) -> ApiError:
    """The `ApiError` of an error response, whatever its body looks like."""
    error = api_error(status, _details(status, headers, body, sanitize), _request_id(headers, sanitize))
    delay = advice(status, headers).retry_after
    if isinstance(error, RateLimited) and delay is not None:
        error.retry_after = delay
    return error


def _request_id(headers: Headers, sanitize: TextSanitizer) -> str | None:
    """The id of the response in the server's log."""
    id = header(headers, b"x-request-id")
    return None if id is None else sanitize(id, _EXCERPT_LENGTH)


def _details(status: int, headers: Headers, body: bytes, sanitize: TextSanitizer) -> ErrorDetails:
    if 300 <= status < 400:
        where = sanitize(header(headers, b"location") or "", _EXCERPT_LENGTH)
        return ErrorDetails(message=f"The server is at {where!r}; connect to that URL.")
    try:
        return _sanitized(msgspec.json.decode(body, type=ErrorBody).error, sanitize)
    except _NOT_JSON:
        message = _message(body)
        return ErrorDetails(
            message=sanitize(message) if message else f"HTTP status {status}: {_excerpt(body, sanitize)}"
        )


def _sanitized(details: ErrorDetails, sanitize: TextSanitizer) -> ErrorDetails:
    """The details of an error, safe to show."""
    return ErrorDetails(
        message=sanitize(details.message),
        type=details.type,
        param=None if details.param is None else sanitize(details.param, _EXCERPT_LENGTH),
        code=None if details.code is None else sanitize(details.code, _EXCERPT_LENGTH),
    )


def _message(body: bytes) -> str | None:
    """The message of a foreign error: `error`, `message` or `detail`, as a string or inside an object."""
    try:
        value: Any = msgspec.json.decode(body)
    except _NOT_JSON:
        return None
    for name in ("error", "message", "detail"):
        if isinstance(value, dict) and value.get(name):
            value = value[name]
    return value if isinstance(value, str) else None


def _excerpt(body: bytes, sanitize: TextSanitizer) -> str:
    return repr(sanitize(body.decode("utf-8", "replace").strip(), _EXCERPT_LENGTH))


def advice(status: int, headers: Headers) -> ErrorResponse:
    """The retry advice of an error response. A date in `retry-after` is ignored, because clocks differ."""
    retry = header(headers, b"x-should-retry")
    milliseconds = _number(header(headers, b"retry-after-ms"))
    seconds = _number(header(headers, b"retry-after")) if milliseconds is None else milliseconds / 1000
    return ErrorResponse(status, seconds, None if retry is None else retry.strip().lower() == "true")


def supports_idempotency(headers: Headers) -> bool:
    """The server announces that it keeps idempotency keys."""
    return header(headers, b"idempotency-keys") is not None


def poll_after(headers: Headers) -> float | None:
    """Seconds after which the server asks for the next poll, within reason; None if it does not say."""
    milliseconds = _number(header(headers, b"openai-poll-after-ms"))
    return None if milliseconds is None else min(max(milliseconds / 1000, _MIN_POLL_AFTER), _MAX_POLL_AFTER)


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else -1.0
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


class ContentHead(NamedTuple):
    """The headers of a file, which come before its content."""

    content_type: str
    size: int | None
    """In bytes, if it is known."""
    file_name: str | None


def content_head(headers: Headers) -> ContentHead:
    """The name, type and size of the file in a response."""
    size = header(headers, b"content-length")
    return ContentHead(
        safe_text(header(headers, b"content-type") or "application/octet-stream"),
        int(size) if size and size.isascii() and size.isdigit() and len(size) < 20 else None,
        _file_name(header(headers, b"content-disposition") or ""),
    )


def _file_name(disposition: str) -> str | None:
    """The name of RFC 6266, without folders."""
    if exact := _EXACT_NAME.search(disposition):
        name = unquote(exact[1])
    elif plain := _PLAIN_NAME.search(disposition):
        name = plain[1]
    else:
        return None
    name = safe_text(name.replace("\\", "/").rpartition("/")[2], _EXCERPT_LENGTH)
    return None if name in {"", ".", ".."} else name


class EventReader:
    """Decodes the bytes of a stream to events, and tells a complete stream from a broken one."""

    def __init__(self, sanitize: TextSanitizer, max_event: int = MAX_FRAME) -> None:
        self._frames = Decoder(max_event)
        self._sanitize = sanitize
        self._last: str = ""
        self.done = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes. None after the `done` event."""
        events: list[Event] = []
        if self.done:
            return events
        for name, data, id in self._frames.feed(chunk):
            if data.startswith(DONE):
                self.done = True
                break
            if len(data) > MAX_UNCHECKED or name == _ERROR:
                events.append(self._checked(name, data, id))
                continue
            try:
                events.append(decode_event(name, data, id))
            except _NOT_JSON:
                events.append(self._checked(name, data, id))
        if events:
            self._last = events[-1].event
        return events

    def end(self) -> None:
        """The connection was closed. `Unreachable` if the stream was not complete."""
        # Not every server sends `done`. These events are always the last of a stream.
        if not self.done and not (isinstance(self._last, EventName) and self._last.pausing):
            raise Unreachable("The connection was closed in the middle of the stream.")

    def _checked(self, name: str, data: bytes, id: str | None) -> Event:
        """The event in a frame whose data may be nested too deeply, of another server's types, or an error."""
        try:
            check_nesting(EVENT_DATA.get(name), data)
            event = decode_event(name, data, id)
        except msgspec.ValidationError:
            event = Event(event=EventName(name), data=_lenient(EVENT_DATA[name], data, self._sanitize), id=id)
        except _NOT_JSON as error:
            raise _undecodable(f"event {self._sanitize(name, 64)!r}", data, error, self._sanitize) from None
        if isinstance(event.data, ErrorBody):
            return Event(event=event.event, data=ErrorBody(error=_sanitized(event.data.error, self._sanitize)), id=id)
        return event
