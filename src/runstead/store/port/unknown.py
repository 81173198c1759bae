"""Fields of a stored object that a newer version wrote: this one does not know them, and writes them back."""

from typing import Any, NamedTuple

__all__ = ["Unknown"]


class Unknown(NamedTuple):
    """An object as it is stored, and as this version writes it: what is only in the first is unknown."""

    stored: Any
    known: Any
