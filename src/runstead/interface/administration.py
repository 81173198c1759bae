"""The interface of an installation as a whole."""

from typing import Protocol

__all__ = ["Administration"]


class Administration(Protocol):
    """Calls that belong to no project. They need the scope `admin`."""
