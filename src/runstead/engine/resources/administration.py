"""Calls that belong to no project, over the store."""

from runstead.engine.adapters import Adapters
from runstead.engine.resources.scope import Transactions

__all__ = ["Administration"]

_NAMESPACE = ""
"""No project has this name."""


class Administration(Transactions):
    """Implements `interface.Administration`."""

    def __init__(self, adapters: Adapters) -> None:
        super().__init__(adapters, _NAMESPACE)
