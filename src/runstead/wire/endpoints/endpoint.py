"""The type of an endpoint: everything that the server, the client and the OpenAPI document know about one HTTP call."""

from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast

from msgspec import Struct

from runstead.wire.struct import Request

__all__ = ["NOTHING", "Access", "AnyEndpoint", "Endpoint", "Nothing"]

Q = TypeVar("Q", bound=Request)
B = TypeVar("B", bound=Request)
R = TypeVar("R")

Access: TypeAlias = Literal["project", "admin"]
"""The scope that a caller needs: to work inside its project, or to administer all projects."""


class Nothing(Request, frozen=True, kw_only=True):
    """The query of an endpoint without parameters, and the body of one without a body."""


NOTHING = Nothing()


class Endpoint(Struct, Generic[Q, B, R], frozen=True, kw_only=True):
    """One HTTP call, by the types of its query, its body and its reply.

    `name` is the interface's method that implements it, and the OpenAPI document's `operationId`.
    """

    name: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    """Below `/v1`, with `{parameters}`."""
    reply: type[R]
    query: type[Q] = cast("Any", Nothing)
    body: type[B] = cast("Any", Nothing)
    """The JSON body, or the fields of a multipart form beside its files."""
    files: tuple[str, ...] = ()
    """The names of a multipart form's files. All of them are required."""
    gives: Literal["json", "events", "bytes"] = "json"
    """How it is answered: with a JSON object, with server-sent events, or with a file's content."""
    streaming: str | None = None
    """The method that answers with events instead, when the body says `stream: true`."""
    access: Access = "project"
    """The scope that its callers need."""
    max_body: int | None = None
    """The largest body in bytes; None for the server's setting."""
    extension: bool = False
    """Not part of the original API."""
    beta: bool = True
    """Needs the header `OpenAI-Beta: assistants=v2`."""

    @property
    def takes(self) -> Literal["json", "multipart", "nothing"]:
        """The kind of body that it reads."""
        if self.files:
            return "multipart"
        return "nothing" if self.body is Nothing else "json"


AnyEndpoint: TypeAlias = Endpoint[Any, Any, Any]
