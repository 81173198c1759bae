"""`python -m runstead.retrieval.documents.fork_server FD`: reads documents, each in a forked process of its own.

The parsers are loaded once. A job then costs a fork of a small process, and nothing that a document did to its process
outlives it: neither its memory nor any code that took it over. The fork is confined before it reads the document.
This process itself sees no document. It ends when the server closes the socket FD.
"""

import codecs
import gc
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from encodings.aliases import aliases
from pathlib import Path
from typing import BinaryIO, NoReturn, TypeAlias

import msgspec

from runstead.retrieval.documents.confinement import can_filter, confine
from runstead.retrieval.documents.messages import (
    MAX_DETAIL,
    PLACES_PIECE,
    TEXT_PIECE,
    Done,
    Ended,
    Job,
    Places,
    Ready,
    Refusal,
    Text,
    frame,
)
from runstead.retrieval.documents.parse import parse
from runstead.retrieval.documents.port import Document
from runstead.retrieval.documents.refusal import Reason, Refused

__all__ = ["Read", "main"]

_NICE = 10
_MAX_JOB = 4096


Read: TypeAlias = Callable[[BinaryIO, str], Document]


def main(read: Read = parse) -> None:
    """Serve until the socket is closed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.nice(_NICE)
    with suppress(OSError):  # where memory is short, a parser ends before the server does
        Path("/proc/self/oom_score_adj").write_text("1000")
    _load_codecs()
    gc.collect()
    gc.freeze()  # collections in a fork then copy no pages
    decode = msgspec.msgpack.Decoder(Job).decode
    confined = can_filter()
    control.sendall(frame(Ready(confined=confined)))
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, _MAX_JOB, 2)
        if not data:
            return
        process = os.fork()
        if process == 0:
            control.close()
            _answer(read, decode(data), confined, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _, status, usage = os.wait4(process, 0)
        control.sendall(frame(Ended(status=status, peak_kib=usage.ru_maxrss)))


def _load_codecs() -> None:
    """Load every text encoding: a confined process cannot load modules."""
    for name in sorted(set(aliases.values())):
        with suppress(LookupError):  # one of another operating system
            codecs.lookup(name)


def _answer(read: Read, job: Job, confined: bool, file: int, answer: int) -> NoReturn:
    """Read the document in `file`, write it to `answer`, and end this process."""
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)
        stream = os.fdopen(file, "rb")
        confine(job.limits, {file, answer}, filter_calls=confined)
        try:
            _write_document(answer, read(stream, job.suffix))
        except Refused as refused:
            _write(answer, Refusal(refused.reason, refused.detail[:MAX_DETAIL]))
        except (MemoryError, RecursionError) as error:
            _write(answer, Refusal(Reason.LIMITS, type(error).__name__))
        except Exception as error:  # noqa: BLE001 (whatever a library raises over a wrong document)
            _write(answer, Refusal(Reason.DAMAGED, f"{type(error).__name__}: {error}"[:MAX_DETAIL]))
        status = 0
    finally:
        os._exit(status)


def _write_document(answer: int, document: Document) -> None:
    text, places = document.text, document.places
    for start in range(0, len(text), TEXT_PIECE):
        _write(answer, Text(text[start : start + TEXT_PIECE]))
    for start in range(0, len(places), PLACES_PIECE):
        _write(answer, Places(list(places[start : start + PLACES_PIECE])))
    _write(answer, Done(media_type=document.media_type, characters=len(text)))  # type: ignore[arg-type]


def _write(answer: int, message: msgspec.Struct) -> None:
    data = memoryview(frame(message))
    while data:
        data = data[os.write(answer, data) :]


if __name__ == "__main__":
    main()
