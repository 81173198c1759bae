"""XML as a stream of events, by the parser of the standard library, without anything that XML can be abused for.

A document with a type declaration is refused, so it has no entities but the five that XML predefines, and nothing
is loaded from elsewhere. No tree is built: memory does not grow with the document.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn, Protocol
from xml.parsers.expat import ExpatError, ParserCreate

from runstead.retrieval.documents.refusal import Reason, Refused

__all__ = ["Readable", "XmlHandler", "elements", "parse_xml"]

MAX_DEPTH = 400
MAX_ELEMENTS = 30_000_000
MAX_FOUND = 200_000
_PIECE = 1 << 16


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = ..., /) -> bytes: ...


class XmlHandler(Protocol):
    """The callbacks of the parser. Names have no namespace: `w:t` and `a:t` are `t`."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...


def _local(name: str) -> str:
    """The name without its namespace."""
    return name.rpartition(" ")[2]


def parse_xml(stream: Readable, handler: XmlHandler, *, allow_doctype: bool = False) -> None:
    """Call the handler for everything in a document. `Refused` if it is not well-formed, or too deep or too large.

    `allow_doctype` allows a type declaration that declares nothing itself, such as XHTML's.
    """
    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    counted = _Counted(handler)
    parser.StartElementHandler = counted.start
    parser.EndElementHandler = counted.end
    parser.CharacterDataHandler = handler.data
    parser.StartDoctypeDeclHandler = _doctype(allow_doctype)
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        for piece in _pieces(stream):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (ExpatError, LookupError, ValueError) as error:
        raise Refused(Reason.DAMAGED, str(error)) from error


def elements(stream: Readable | None, *names: str) -> list[tuple[str, Mapping[str, str]]]:
    """The names and attributes of all elements of these names, in their order; none if there is no stream."""
    found = _Elements(names)
    if stream is not None:
        parse_xml(stream, found, allow_doctype=True)
    return found.found


class _Elements:
    """Collects elements by their names."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self.found: list[tuple[str, Mapping[str, str]]] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in self._names:
            self.found.append((name, attributes))
            if len(self.found) > MAX_FOUND:
                raise Refused(Reason.TOO_COMPLEX, f"too many elements {name}")

    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...


class _Counted:
    """Counts elements and their depth."""

    def __init__(self, handler: XmlHandler) -> None:
        self._handler = handler
        self._depth = 0
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise Refused(Reason.TOO_COMPLEX, f"element {self._count} at depth {self._depth}")
        self._handler.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(self, name: str) -> None:
        self._depth -= 1
        self._handler.end(_local(name))


def _pieces(stream: Readable) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        yield piece


def _doctype(allow: bool) -> Callable[..., None]:
    def check(_name: str, _system: str | None, _public: str | None, has_internal_subset: bool) -> None:
        if has_internal_subset or not allow:
            raise Refused(Reason.DAMAGED, "XML with a type declaration")

    return check


def _refuse(*_: object) -> NoReturn:
    raise Refused(Reason.DAMAGED, "XML with entities")
