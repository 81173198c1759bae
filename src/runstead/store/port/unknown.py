"""Fields of a stored object that this version does not know: a newer one wrote them, and they are kept."""

from typing import Any, NamedTuple

__all__ = ["Unknown"]


class Unknown(NamedTuple):
    """An object as it is stored, and as this version writes it: what is only in the first is unknown."""

    stored: Any
    known: Any
