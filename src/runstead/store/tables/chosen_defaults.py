"""The defaults that an assistant or a run has chosen, as the member `chosen_defaults` of its body.

The member is written only where there are any. So a row of an older version reads as if none had been chosen.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from runstead.domain.chosen_defaults import NONE_CHOSEN, ChosenDefaults
from runstead.store.port.assistants import AssistantRow
from runstead.store.tables.body import Body, encode
from runstead.wire.assistant import Assistant
from runstead.wire.codec.run_parts import encode_full_state, joined
from runstead.wire.run import Run

__all__ = ["ASSISTANT", "RUN", "AssistantBody", "RunBody"]


class _Member(Struct):
    chosen_defaults: Sequence[str] = ()


_NAME = b'"chosen_defaults"'
_decode_member = msgspec.json.Decoder(_Member).decode


class RunBody:
    """The bodies of runs: their state. The settings of a run are in a column of their own."""

    def __init__(self) -> None:
        self._run = Body(Run)

    def decode(self, stored: bytes, settings: bytes | None) -> tuple[Run, ChosenDefaults]:
        """The run, and the defaults that it chose. Without settings, the body is the whole run."""
        return self._run.decode(joined(settings, stored)), _read(stored)

    def encode(self, run: Run, defaults: ChosenDefaults) -> bytes:
        return _with_member(encode_full_state(run), defaults)


class AssistantBody:
    """The bodies of assistants."""

    def __init__(self) -> None:
        self._assistant = Body(Assistant)

    def decode(self, stored: bytes) -> AssistantRow:
        return AssistantRow(self._assistant.decode(stored), _read(stored))

    def encode(self, row: AssistantRow) -> bytes:
        return _with_member(encode(row.assistant), row.chosen_defaults)


RUN = RunBody()
ASSISTANT = AssistantBody()


def _read(stored: bytes) -> ChosenDefaults:
    # Few bodies have the member, so they are searched for its name before they are decoded a second time.
    return frozenset(_decode_member(stored).chosen_defaults) if _NAME in stored else NONE_CHOSEN


def _with_member(body: bytes, defaults: ChosenDefaults) -> bytes:
    return b'%b,"chosen_defaults":%b}' % (body[:-1], encode(sorted(defaults))) if defaults else body
