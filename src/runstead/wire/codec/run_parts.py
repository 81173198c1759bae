"""A run in two parts: its settings, which its creation fixes, and its state, which changes.

The store writes the settings once and the state with every change. A stored or published event about a run carries the
state alone, so it is small however long the run's instructions are. `Settings.whole` joins both to the run as the wire
has it, byte for byte.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, defstruct
from msgspec.structs import astuple

from runstead.wire.run import Run

__all__ = ["STATE", "Settings", "encode_full_state", "encode_settings", "encode_state", "joined", "state_of"]


_NULL = Raw(b"null")


class _State(Struct, forbid_unknown_fields=True):
    """The fields of a run that a change may set, in the order of the wire. Those that are not stored are empty."""

    status: Raw
    required_action: Raw = _NULL
    last_error: Raw = _NULL
    expires_at: Raw = _NULL
    started_at: Raw = _NULL
    cancelled_at: Raw = _NULL
    failed_at: Raw = _NULL
    completed_at: Raw = _NULL
    incomplete_details: Raw = _NULL
    metadata: Raw = Raw(b"{}")
    usage: Raw = _NULL


STATE = _State.__struct_fields__
"""The names of the fields that a change may set."""

_EMPTY = {name: getattr(_State(_NULL), name) for name in STATE}
_FIELDS = Run.__struct_fields__
_SETTINGS = tuple(name for name in _FIELDS if name not in STATE)
_FIRST = len(STATE) - 2  # other fields stand before the last two
_BETWEEN, _AFTER = _FIELDS.index("model"), _FIELDS.index("temperature")
_encode = msgspec.json.Encoder().encode

# Every change of a run encodes its parts, so this is done by msgspec alone.
_state_values = attrgetter(*STATE)
_settings_values = attrgetter(*_SETTINGS)
_FilledState = defstruct(
    "_FilledState",
    [(name, Any, {} if name == "metadata" else None) for name in STATE],
    omit_defaults=True,
)
_FullState = defstruct("_FullState", [(name, Any) for name in STATE])
_GivenSettings = defstruct("_GivenSettings", [(name, Any, UNSET) for name in _SETTINGS])
_FIRST_MEMBERS = b",".join(b'"%b":%%b' % name.encode() for name in STATE[:_FIRST])
_SECOND_MEMBERS = b",".join(b'"%b":%%b' % name.encode() for name in STATE[_FIRST:])
_parse = msgspec.json.Decoder(dict[str, Raw]).decode
_parse_state = msgspec.json.Decoder(_State).decode


def encode_state(run: Run) -> bytes:
    """The part of a run that changes, as JSON without its empty fields."""
    return _encode(_FilledState(*_state_values(run)))


def encode_full_state(run: Run) -> bytes:
    """The part of a run that changes, as JSON with all of its fields: to be `joined`."""
    return _encode(_FullState(*_state_values(run)))


def encode_settings(run: Run) -> bytes:
    """The part of a run that its creation fixes, as JSON."""
    return _encode(_GivenSettings(*_settings_values(run)))


def state_of(whole: bytes) -> bytes:
    """The state of a run that is stored whole, with the fields that this version does not know."""
    return b"{%b}" % _members({name: value for name, value in _parse(whole).items() if name not in _SETTINGS})


def joined(settings: bytes | None, state: bytes) -> bytes:
    """Both parts as one JSON object, to be decoded: the fields are in no particular order, and one that both parts have
    occurs twice, with the value of the state last. Without settings, the state is the whole run.
    """
    return state if settings is None else settings[:-1] + b"," + state[1:]


class Settings:
    """The settings of one run, ready to be joined with its states."""

    def __init__(self, stored: bytes) -> None:
        self._fields = {name: value for name, value in _parse(stored).items() if name not in STATE}
        known = [{name: self._fields[name] for name in part if name in self._fields}
                 for part in (_FIELDS[:_BETWEEN], _FIELDS[_BETWEEN:_AFTER], _FIELDS[_AFTER:])]  # fmt: skip
        newer = {name: value for name, value in self._fields.items() if name not in _FIELDS}
        self._before, self._between = (_members(part) + b"," if part else b"" for part in known[:2])
        self._after = b"".join(b"," + _members(part) for part in (known[2], newer) if part)

    def whole(self, state: bytes) -> bytes:
        """The run with this state. What is a whole run already stays as it is."""
        try:
            changing = _parse_state(state)
        except msgspec.ValidationError:
            return self._whole_of_another_version(state)
        values = astuple(changing)
        first, second = _FIRST_MEMBERS % values[:_FIRST], _SECOND_MEMBERS % values[_FIRST:]
        return b"{%b%b,%b%b%b}" % (self._before, first, self._between, second, self._after)

    def _whole_of_another_version(self, state: bytes) -> bytes:
        """The same for a state with other fields: those of a newer version come last."""
        changing = _parse(state)
        if "id" in changing:
            return state
        fields = self._fields | _EMPTY | changing
        known = {name: fields.pop(name) for name in _FIELDS if name in fields}
        return b"{%b}" % _members(known | fields)


def _members(fields: Mapping[str, Raw]) -> bytes:
    return b",".join([b'"%b":%b' % (name.encode(), value) for name, value in fields.items()])
