"""Two states of one thing."""

from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.run_step import RunStep

__all__ = ["differences"]


def differences(told: Run | RunStep | Message, kept: Run | RunStep | Message) -> str:
    """The fields in which they differ; metadata may be changed without being told."""
    fields = (name for name in kept.__struct_fields__ if name != "metadata")
    return ", ".join(name for name in fields if getattr(told, name) != getattr(kept, name))
