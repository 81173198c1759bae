"""Doing once what is asked twice: how a request is known again, and what that means.

A client that got no answer asks again, and does not know whether it was heard. Two kinds of requests can be told from
new ones:

- Those that name a key, the same for every try: for a day they are done once (`keyed`).
- Those of clients that name none, but count their tries: `tried`. The first try is always done. A further one is
  answered with what was answered to the request that it must be a try of, if that is less than a minute ago: the last
  one about its thread, if it is the same; or, where none is named, the only one of that minute that is the same, as
  long as nothing was asked about the thread that it made. In doubt it is done: to have something twice is better than
  to get what is somebody else's.
"""

import hashlib

import msgspec
from msgspec import Struct

from runstead.wire.error import BadRequest

__all__ = ["DAY", "MINUTE", "Once", "Repeated", "about", "digest_of", "keyed", "repeats", "thread_made", "tried"]

DAY = 24 * 3600
MINUTE = 60
_LONGEST = 255


class Repeated(Exception):
    """What was asked for is done already."""

    def __init__(self, answer: bytes, seq: int) -> None:
        super().__init__("done already")
        self.answer = answer
        """What was answered."""
        self.seq = seq
        """If that is a run: the number of its last event before it was asked."""


class Once(Struct, frozen=True, kw_only=True):
    """A request that shall not be carried out twice."""

    key: str
    """What its answer is kept under."""
    digest: bytes
    """What it asks for, in short."""
    lifetime: int
    """Seconds for which its answer is kept."""
    named: bool = False
    """Its client has named the key."""
    again: bool = True
    """It may be a further try."""
    makes: bool = False
    """It names no thread."""


def keyed(key: str, digest: bytes) -> Once:
    """A request whose client names a key; `BadRequest` if that is none."""
    if not (0 < len(key) <= _LONGEST and key.isascii() and key.isprintable()):
        raise BadRequest(
            f"Invalid 'Idempotency-Key': expected 1 to {_LONGEST} printable ASCII characters.",
            param="Idempotency-Key",
            code="invalid_idempotency_key",
        )
    return Once(key=f"key {key}", digest=digest, lifetime=DAY, named=True)


def tried(tries: int, digest: bytes, thread_id: str | None) -> Once:
    """A request of a client that has tried it so often before; about this thread, if it names one."""
    key = about(thread_id) if thread_id else f"made {digest.hex()}"
    return Once(key=key, digest=digest, lifetime=MINUTE, again=tries > 0, makes=thread_id is None)


def about(thread_id: str) -> str:
    """The key of the last request about a thread that counted its tries."""
    return f"last {thread_id}"


def digest_of(*parts: bytes) -> bytes:
    """What a request asks for, in short: the same for the same bytes, and for no others."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d " % len(part))
        digest.update(part)
    return digest.digest()


def repeats(asked: Once, digest: bytes, *, doubtful: bool) -> bool:
    """Whether a request is the one that was kept under its key; `BadRequest` if its key was used for another one."""
    same = asked.digest == digest
    if asked.named and not same:
        raise BadRequest(
            "This 'Idempotency-Key' was used for another request within the last day. "
            "Repeat that request unchanged, or use a new key.",
            param="Idempotency-Key",
            code="idempotency_key_reused",
        )
    return same and asked.again and not doubtful


class _Made(Struct):
    """What tells of an answer which thread was made."""

    id: str = ""
    object: str = ""
    thread_id: str | None = None


def thread_made(answer: bytes) -> str | None:
    """The thread that a request has made, if it did, by its answer: the thread, or a run on it."""
    made = msgspec.json.decode(answer, type=_Made)
    return made.id if made.object == "thread" else made.thread_id
