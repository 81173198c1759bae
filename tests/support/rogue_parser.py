"""A fork server whose documents have taken over their process: the extension of a file chooses what it tries."""

import errno
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from runstead.retrieval.documents.fork_server import main
from runstead.retrieval.documents.media_types import MediaType
from runstead.retrieval.documents.messages import HEADER, Done, Text, frame
from runstead.retrieval.documents.port import MAX_CHARACTERS, Document

__all__ = ["ATTEMPTS"]

SECRET = "/etc/passwd"


def _denied(attempt: Callable[[], object]) -> str:
    try:
        return f"succeeded: {attempt()!r}"
    except OSError as error:
        return type(error).__name__


ATTEMPTS: dict[str, Callable[[], object]] = {
    "open": lambda: Path(SECRET).read_bytes(),
    "stat": lambda: Path(SECRET).stat(),
    "write": lambda: Path("/tmp/runstead-rogue").write_text("here"),
    "tcp": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "kill": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, 0),
}


def _try_all() -> Document:
    found = "\n".join(f"{name} {_denied(attempt)}" for name, attempt in ATTEMPTS.items())
    descriptors = [str(number) for number in range(64) if _is_open(number)]
    return Document(
        text=f"{found}\nopen {','.join(descriptors)}\nenvironment {','.join(sorted(os.environ))}",
        media_type=MediaType.TEXT,
    )


def _is_open(number: int) -> bool:
    try:
        os.lseek(number, 0, os.SEEK_CUR)
    except OSError as error:
        return error.errno != errno.EBADF
    return True


def _loop() -> Document:
    while True:
        pass


def _eat() -> Document:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def _crash() -> Document:
    raise SystemExit  # the process ends without an answer


def _say(*data: bytes) -> Callable[[], Document]:
    """Writes to every descriptor, one of which is the answer's, and ends."""

    def say() -> Document:
        for number in range(3, 64):
            try:
                for piece in data:
                    os.write(number, piece)
            except OSError:
                continue
        os._exit(0)

    return say


def _text(text: str) -> bytes:
    body = msgspec.msgpack.encode({"type": "text", "text": text})
    return HEADER.pack(len(body)) + body


_PIECE = frame(Text("x" * (1 << 18)))
_LONE_SURROGATE = HEADER.pack(20) + b"\x82\xa4type\xa4text\xa4text\xa3\xed\xa0\x80"
_ROGUES: dict[str, Callable[[], Document]] = {
    ".tries": _try_all,
    ".loops": _loop,
    ".eats": _eat,
    ".crashes": _crash,
    ".silent": _say(),
    ".noise": _say(b"\xff" * 10_000),
    ".huge": _say(HEADER.pack(1 << 31)),
    ".json": _say(HEADER.pack(2) + b"{}"),
    ".endless": _say(*[_PIECE] * (MAX_CHARACTERS // (1 << 18) + 2)),
    ".control": _say(_text("a\x00b"), frame(Done(media_type=MediaType.TEXT, characters=3))),
    ".surrogate": _say(_LONE_SURROGATE, frame(Done(media_type=MediaType.TEXT, characters=1))),
    ".short": _say(_text("abc"), frame(Done(media_type=MediaType.TEXT, characters=9))),
    ".invents": _say(HEADER.pack(30) + b"\x83\xa4type\xa7refusal\xa6reason\xa2hi\xa6detail"),
}


def _read(file: BinaryIO, suffix: str) -> Document:
    if suffix == ".lies":
        return Document(text="x", media_type="text/x-own")
    return _ROGUES[suffix]() if suffix in _ROGUES else Document(text=file.read().decode(), media_type=MediaType.TEXT)


if __name__ == "__main__":
    main(_read)
