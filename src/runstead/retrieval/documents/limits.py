"""What one document may cost."""

from msgspec import Struct

__all__ = ["ParseLimits"]


class ParseLimits(Struct, frozen=True, kw_only=True):
    """The limits of the process that reads one document."""

    cpu_seconds: int = 60
    """Processor time."""
    wall_seconds: float = 180
    """Time, which is longer because the process has a low priority."""
    memory: int = 1 << 30
    """Bytes of address space."""
