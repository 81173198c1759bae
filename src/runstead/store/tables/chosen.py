"""The options that an assistant or a run has chosen, as the member `chosen` of its body.

The member is written only where the values do not say it: where a default was chosen. So a row of an older version
reads as if none of its defaults had been chosen.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from runstead.domain.chosen import Chosen, evident
from runstead.store.port.assistants import AssistantRow
from runstead.store.tables.body import Body, encode
from runstead.wire.assistant import Assistant
from runstead.wire.run import Run

__all__ = ["ASSISTANT", "AssistantBody", "RunBody"]


class _Member(Struct):
    chosen: Sequence[str] | None = None


_NAME = b'"chosen"'
_decode_member = msgspec.json.Decoder(_Member).decode


class RunBody:
    """The bodies of runs."""

    def __init__(self) -> None:
        self._run = Body(Run)

    def decode(self, stored: bytes) -> tuple[Run, Chosen]:
        """The run, and the options that it chose."""
        run = self._run.decode(stored)
        return run, _read(stored, run)

    def encode(self, run: Run, chosen: Chosen) -> bytes:
        return _write(run, chosen)


class AssistantBody:
    """The bodies of assistants."""

    def __init__(self) -> None:
        self._assistant = Body(Assistant)

    def decode(self, stored: bytes) -> AssistantRow:
        assistant = self._assistant.decode(stored)
        return AssistantRow(assistant, _read(stored, assistant))

    def encode(self, row: AssistantRow) -> bytes:
        return _write(row.assistant, row.chosen)


ASSISTANT = AssistantBody()


def _read(stored: bytes, item: Assistant | Run) -> Chosen:
    # Few bodies have the member: a search in the bytes is cheaper than a second decoding.
    names = _decode_member(stored).chosen if _NAME in stored else None
    return evident(item) if names is None else frozenset(names)


def _write(item: Assistant | Run, chosen: Chosen) -> bytes:
    body = encode(item)
    if chosen == evident(item):
        return body
    return b'%b,"chosen":%b}' % (body[:-1], encode(sorted(chosen)))
