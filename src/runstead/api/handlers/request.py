"""Read a request to an endpoint: admit its caller, then read its headers, query and body."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope

from runstead.api.address import ADDRESS, Address, has_api_version
from runstead.api.bodies import Bodies, check_length, chunks
from runstead.api.credentials import credentials_of
from runstead.api.idempotency import idempotency_of
from runstead.api.middleware import HEADERS
from runstead.api.multipart import MultipartUpload
from runstead.api.port import Application, Settings
from runstead.domain.access import require_scope
from runstead.domain.idempotency import IdempotentRequest
from runstead.engine.upload import CheckedUpload
from runstead.interface.operation import Operation
from runstead.wire.codec.request import decode_query, decode_request
from runstead.wire.endpoints.endpoint import NOTHING, Nothing
from runstead.wire.error import BadRequest
from runstead.wire.page import EventQuery
from runstead.wire.struct import Request

__all__ = ["Call", "RequestReader"]

_NO_BETA = (
    "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
    "Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
)
_MAX_PARAMETERS = 200
"""Maximum parameters of a query. They are decoded one by one, in Python."""
_OLD_BETA = (
    "The v1 Assistants API has been deprecated. Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
)


class Call(NamedTuple):
    """A call of the interface, ready to be made."""

    target: Any
    """The interface: the caller's project, or the administration."""
    path: Mapping[str, str]
    query: Request
    body: Any
    """A `Request`, or an `Upload`."""
    retryable: bool = False
    """The request says how a retry of it is recognised, so its reply may be a replay."""


class RequestReader:
    """Reads the requests to one endpoint. What can be known beforehand is worked out once."""

    def __init__(self, operation: Operation, application: Application, settings: Settings, bodies: Bodies) -> None:
        endpoint = operation.endpoint
        self._endpoint = endpoint
        self._bodies = bodies
        self._enter = application.enter
        self._access = endpoint.access
        self._limit = settings.body_limit if endpoint.max_body is None else endpoint.max_body
        self._beta = endpoint.beta and settings.require_beta_header
        self._query = endpoint.query
        self._has_query = endpoint.query is not Nothing
        self._no_query: Request = endpoint.query()
        self._resumes = issubclass(endpoint.query, EventQuery)
        self._body = endpoint.body
        self._takes = endpoint.takes
        self._writes = endpoint.method == "POST"

    async def read(self, path: Mapping[str, str], scope: Scope, receive: Receive) -> Call:
        """The call that a request asks for. Errors are raised in this order: caller, headers, query, body."""
        headers: Mapping[bytes, bytes] = scope[HEADERS]
        address: Address = scope[ADDRESS]
        caller = await self._enter(credentials_of(headers, address.project))
        require_scope(caller.scopes, self._access)
        target: Any = caller.project if self._access == "project" else caller.administration
        if self._beta and address.needs_beta:
            _require_beta(scope)
        query = self._read_query(scope, headers) if self._has_query else NOTHING
        if self._takes == "multipart":
            return self._upload(target, path, query, scope, receive)

        def decode(raw: bytes) -> tuple[Request, IdempotentRequest | None]:
            body = decode_request(self._body, raw) if self._takes == "json" else NOTHING
            return body, idempotency_of(scope, headers, raw, path.get("thread_id")) if self._writes else None

        if self._takes == "json":
            body, asked = await self._bodies.read(receive, headers, self._limit, decode)
        else:
            body, asked = decode(b"")
        if asked is None:
            return Call(target, path, query, body)
        return Call(target.once(asked), path, query, body, True)

    def _read_query(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Request:
        text: bytes = scope["query_string"]
        query = self._no_query
        if text:
            query = decode_query(self._query, _pairs(text))
        if self._resumes and (last := headers.get(b"last-event-id")):
            # A browser that reconnects repeats its first URL; the header is newer than the URL's `after`.
            return msgspec.structs.replace(query, after=last.decode("latin-1"))
        return query

    def _upload(self, target: Any, path: Mapping[str, str], query: Request, scope: Scope, receive: Receive) -> Call:
        headers: Mapping[bytes, bytes] = scope[HEADERS]
        check_length(headers, self._limit)
        body = chunks(receive, self._limit)
        form = MultipartUpload(self._body, self._endpoint.files, headers.get(b"content-type", b""), body)
        thread_id = path.get("thread_id")
        if idempotency_of(scope, headers, b"", thread_id) is None:  # a bad key is refused before the upload is read
            return Call(target, path, query, CheckedUpload(self._endpoint, form))
        upload = CheckedUpload(self._endpoint, form, digested=True)

        def asked() -> IdempotentRequest:
            found = idempotency_of(scope, headers, upload.digest(), thread_id)
            assert found is not None
            return found

        return Call(target.once(asked), path, query, upload, True)


def _require_beta(scope: Scope) -> None:
    """`BadRequest` unless one of the headers asks for version 2, or the query has an `api-version`."""
    if scope[HEADERS].get(b"openai-beta") == b"assistants=v2":
        return
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    named = {part.strip() for name, value in headers if name == b"openai-beta" for part in value.split(b",")}
    if b"assistants=v2" not in named and not has_api_version(scope):
        raise BadRequest(_OLD_BETA if b"assistants=v1" in named else _NO_BETA, code="invalid_beta")


def _pairs(query: bytes) -> list[tuple[str, str]]:
    """The decoded `name=value` pairs of a query."""
    if query.count(b"&") >= _MAX_PARAMETERS:
        raise BadRequest(f"The query of your request is too long. At most {_MAX_PARAMETERS} parameters are read.")
    return parse_qsl(query.decode("latin-1"), keep_blank_values=True)
