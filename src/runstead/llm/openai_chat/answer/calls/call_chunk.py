"""One chunk of a call, as a server sends it."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from runstead.model_server.coercion import as_number, as_text, raw_text
from runstead.model_server.json_document import NotJSON, TooLarge, decode_text
from runstead.model_server.split_characters import repaired_json

__all__ = ["CallChunk", "read_call_chunk"]

_MAX_NAME = 256
"""Characters of a function's name; more than the API allows. The rest is cut off."""
_ARGUMENTS = ("parameters", "args", "input")
"""Other names of the arguments."""


class CallChunk(Struct, frozen=True, gc=False):
    """One chunk of a call, as the server sent it."""

    index: int | None
    id: str
    name: str
    arguments: str
    """It may have halves of characters."""


def read_call_chunk(call: Mapping[str, Any]) -> CallChunk:
    """A chunk of a call.

    Some servers send its function without `function` or as JSON in a text, its arguments as an object or under the name
    of another API.
    """
    function = call.get("function")
    if isinstance(function, str) and function.lstrip()[:1] == "{":
        function = _decoded(function)
    fields = function if isinstance(function, dict) else call
    arguments = fields.get("arguments")
    if arguments is None:
        arguments = next((fields[name] for name in _ARGUMENTS if isinstance(fields.get(name), dict | str)), None)
    if isinstance(arguments, dict | list):
        arguments = msgspec.json.encode(repaired_json(arguments)).decode()
    name = as_text(fields.get("name") or (function if isinstance(function, str) else "")).strip()
    return CallChunk(as_number(call.get("index")), as_text(call.get("id")), name[:_MAX_NAME], raw_text(arguments))


def _decoded(text: str) -> Any:
    try:
        return decode_text(text)
    except (NotJSON, TooLarge):
        return text
