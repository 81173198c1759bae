"""From the bytes of an HTTP response to objects, events and errors. No IO."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

import msgspec

from runstead.client.http.retries import ErrorResponse
from runstead.wire.codec.sse import Decoder
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
"""Characters of a response that is not JSON, shown in the error."""


_decoder: Callable[[Any], msgspec.json.Decoder[Any]] = cache(msgspec.json.Decoder)


def object_of(kind: type[T], body: bytes) -> T:
    """The object in a response. Fields and values of newer or foreign servers are tolerated."""
    try:
        found: T = _decoder(kind).decode(body)
        return found
    except msgspec.ValidationError:
        return _lenient(kind, body)
    except msgspec.DecodeError:
        raise ServerError(f"The response is not JSON: {_excerpt(body)} Is the URL that of a server's API?") from None


def _lenient(kind: type[T], body: bytes) -> T:
    """The object, without fields that this version does not know."""
    from runstead.wire.codec.response import decode_lenient  # noqa: PLC0415 (rarely needed, and slow to import)

    try:
        return decode_lenient(kind, body)
    except msgspec.ValidationError as error:
        raise ServerError(f"The response is not a {kind.__name__}: {error}") from None


def header(headers: Headers, name: bytes) -> str | None:
    """The value of a header; `name` is in lower case."""
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), None)


def error_of(status: int, headers: Headers, body: bytes) -> ApiError:
    """The `ApiError` of an error response, whatever its body looks like."""
    error = api_error(status, _details(status, headers, body), header(headers, b"x-request-id"))
    delay = advice(status, headers).retry_after
    if isinstance(error, RateLimited) and delay is not None:
        error.retry_after = delay
    return error


def _details(status: int, headers: Headers, body: bytes) -> ErrorDetails:
    if 300 <= status < 400:
        return ErrorDetails(message=f"The server is at {header(headers, b'location')!r}; connect to that URL.")
    try:
        return msgspec.json.decode(body, type=ErrorBody).error
    except msgspec.DecodeError:
        return ErrorDetails(message=_message(body) or f"HTTP status {status}: {_excerpt(body)}")


def _message(body: bytes) -> str | None:
    """The message of a foreign error: `error`, `message` or `detail`, as a string or inside an object."""
    try:
        value: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    for name in ("error", "message", "detail"):
        if isinstance(value, dict) and value.get(name):
            value = value[name]
    return value if isinstance(value, str) else None


def _excerpt(body: bytes) -> str:
    text = body[: 4 * _EXCERPT_LENGTH].decode("utf-8", "replace").strip()
    return repr(text if len(text) <= _EXCERPT_LENGTH else text[:_EXCERPT_LENGTH] + "…")


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
    """Seconds after which the server asks for the next poll; None if it does not say."""
    milliseconds = _number(header(headers, b"openai-poll-after-ms"))
    return None if milliseconds is None else milliseconds / 1000


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
        header(headers, b"content-type") or "application/octet-stream",
        int(size) if size and size.isdigit() else None,
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
    return name.replace("\\", "/").rpartition("/")[2] or None


class EventReader:
    """Decodes the bytes of a stream to events, and tells a complete stream from a broken one."""

    def __init__(self) -> None:
        self._frames = Decoder()
        self._last: str = ""
        self.done = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        events: list[Event] = []
        for name, data, id in self._frames.feed(chunk):
            if data.startswith(DONE):
                self.done = True
                break
            try:
                events.append(decode_event(name, data, id))
            except msgspec.DecodeError as error:
                events.append(_lenient_event(name, data, id, error))
        if events:
            self._last = events[-1].event
        return events

    def end(self) -> None:
        """The connection was closed. `Unreachable` if the stream was not complete."""
        # Not every server sends `done`. These events are always the last of a stream.
        if not self.done and not (isinstance(self._last, EventName) and self._last.pausing):
            raise Unreachable("The connection was closed in the middle of the stream.")


def _lenient_event(name: str, data: bytes, id: str | None, error: msgspec.DecodeError) -> Event:
    """The event of a newer or a foreign server, without fields that this version does not know."""
    if not isinstance(error, msgspec.ValidationError):
        raise ServerError(f"The event {name!r} is not JSON: {_excerpt(data)}") from error
    return Event(event=EventName(name), data=_lenient(EVENT_DATA[name], data), id=id)
