"""From a call to the bytes of an HTTP request. No IO."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from runstead.client.http.target import Target
from runstead.wire.endpoints.endpoint import AnyEndpoint
from runstead.wire.error import BadRequest
from runstead.wire.idempotency import retry_key
from runstead.wire.struct import Request

__all__ = ["Outgoing", "greeting", "outgoing"]

_ACCEPT = {"json": b"application/json", "events": b"text/event-stream", "bytes": b"*/*"}


class Outgoing(NamedTuple):
    """A request, ready to be sent and retried. Its repr hides the headers, because they hold the API key."""

    method: str
    path: bytes
    headers: list[tuple[bytes, bytes]]
    content: bytes | None = None
    form: Any = None
    """An upload's body, which is iterated over once a try."""
    streaming: bool = False
    """The response is a stream of events."""

    def __repr__(self) -> str:
        return f"Outgoing({self.method} {self.path.decode()})"

    @property
    def repeatable(self) -> bool:
        """The request is idempotent by its method."""
        return self.method != "POST"

    @property
    def resendable(self) -> bool:
        """It can be sent more than once."""
        return self.form is None or self.form.rereadable


def outgoing(
    target: Target,
    endpoint: AnyEndpoint,
    path: Mapping[str, str],
    query: Request | None,
    body: Request | None,
    *,
    streaming: bool = False,
    key: str | None = None,
    form: Any = None,
) -> Outgoing:
    """The request of a call. `streaming` asks for events instead of the object; `key` is a POST's idempotency key.

    `form` is the body of an upload.
    """
    where = target.prefix + _filled_path(endpoint.path, path) + _query_string(query)
    accept = b"text/event-stream" if streaming else _ACCEPT[endpoint.gives]
    headers = [*target.headers, (b"Accept", accept)]
    if endpoint.method != "POST":
        return Outgoing(endpoint.method, where.encode(), headers, streaming=streaming)
    # All retries send the same key. A server that keeps idempotency keys does the work once; others ignore them.
    headers.append((b"Idempotency-Key", _checked_key(key) if key is not None else retry_key(os.urandom(16)).encode()))
    if form is not None:
        framing = (b"Transfer-Encoding", b"chunked") if form.size is None else (b"Content-Length", b"%d" % form.size)
        headers += [framing, (b"Content-Type", form.content_type)]
        return Outgoing("POST", where.encode(), headers, form=form)
    content = _content(body, streaming=streaming)
    headers.append((b"Content-Length", b"%d" % len(content)))
    if content:
        headers.append((b"Content-Type", b"application/json"))
    return Outgoing("POST", where.encode(), headers, content, streaming=streaming)


def greeting(target: Target) -> Outgoing:
    """A request without effect. The headers of its response show the server's features."""
    return Outgoing("GET", target.prefix.encode(), [*target.headers, (b"Accept", b"application/json")], None)


def _checked_key(key: str) -> bytes:
    if not (key.isascii() and key.isprintable()):
        raise BadRequest("Invalid key: expected printable ASCII characters.", code="invalid_idempotency_key")
    return key.encode()


def _filled_path(template: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        if not value:
            # An empty id would make the path of a list.
            raise BadRequest(f"Invalid '{name}': ''. Expected an ID.", param=name, code="invalid_value")
    return template.format_map({name: quote(value, safe="") for name, value in values.items()})


def _query_string(query: Request | None) -> str:
    """The parameters that differ from the defaults: every server applies those itself."""
    if query is None:
        return ""
    defaults = _defaults(type(query))
    fields = {name: value for name, value in msgspec.to_builtins(query).items() if value != defaults.get(name)}
    arrays = {f"{name}[]": fields.pop(name) for name in list(fields) if isinstance(fields[name], list)}
    return "?" + urlencode(fields | arrays, doseq=True) if fields or arrays else ""


@cache
def _defaults(kind: type[Request]) -> dict[str, Any]:
    defaults: dict[str, Any] = msgspec.to_builtins(kind())
    return defaults


def _content(body: Request | None, *, streaming: bool) -> bytes:
    if body is None:
        return b""
    asked = getattr(body, "stream", UNSET)
    if streaming:
        body = replace(body, stream=True)
    elif asked is not UNSET:
        body = replace(body, stream=UNSET)
    return msgspec.json.encode(body)
