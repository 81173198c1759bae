"""Frames that arrive from a parser process, with a deadline and bounds on everything."""

import socket
from time import monotonic
from typing import TypeVar

import msgspec

from runstead.retrieval.documents.messages import HEADER, MAX_FRAME, Answer, Done, Places, Refusal, Text
from runstead.retrieval.documents.port import MAX_CHARACTERS, MAX_PLACES, Document, Place
from runstead.retrieval.documents.refusal import Refused
from runstead.retrieval.documents.text_builder import clean

__all__ = ["Frames", "ProtocolError", "read_document"]

T = TypeVar("T")


class ProtocolError(Exception):
    """A parser process sent an invalid message, or closed its socket in the middle of one."""


class Frames:
    """The frames of a socket. Reading raises `TimeoutError` at the deadline, of `monotonic`, and `ProtocolError`."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def read(self, decoder: msgspec.msgpack.Decoder[T]) -> T:
        """The next message."""
        (size,) = HEADER.unpack(self._exactly(HEADER.size))
        if size > MAX_FRAME:
            raise ProtocolError(f"a frame of {size} bytes")
        try:
            return decoder.decode(self._exactly(size))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ProtocolError(str(error)) from error

    def _exactly(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            left = self._deadline - monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            if not (count := self._connection.recv_into(view)):
                raise ProtocolError("the answer ends early")
            view = view[count:]
        return data


_ANSWERS: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def read_document(frames: Frames) -> Document:
    """The document that a process answers. Raises `Refused`, `ProtocolError`, `TimeoutError` and `OSError`."""
    pieces: list[str] = []
    places: list[Place] = []
    length = 0
    while True:
        match frames.read(_ANSWERS):
            case Text(text):
                length += len(text)
                pieces.append(text)
                if length > MAX_CHARACTERS or clean(text) != text:
                    raise ProtocolError("text that no parser writes")
            case Places(more):
                places += more
                if len(places) > MAX_PLACES:
                    raise ProtocolError("too many places")
            case Refusal(reason, detail):
                raise Refused(reason, detail)
            case Done(media_type=media_type, characters=characters):
                starts = [place.start for place in places]
                if characters != length or starts != sorted(starts) or (starts and starts[-1] >= length):
                    raise ProtocolError("a document that contradicts itself")
                return Document(text="".join(pieces), places=places, media_type=media_type)
