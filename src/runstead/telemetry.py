"""The log: one line a happening, its fields as `name=value`, on standard error."""

import logging
import sys

__all__ = ["configure"]


def configure(level: str) -> None:
    """Send the log of this program to standard error, from `level` on (`debug`, `info`, `warning`, `error`)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # What the libraries say in passing is no news to an operator.
    for name in ("aiohttp", "uvicorn.access", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
