"""Logging: one line for each record, with its fields as `name=value`, on standard error."""

import copy
import json
import logging
import sys
from typing import Any

from runstead.wire.control_characters import escape_control
from runstead.wire.error import Unreachable

__all__ = ["configure"]

_QUIET = ("aiohttp", "asyncio", "uvicorn")
"""Libraries whose records below WARNING are not logged."""
_SILENT = ("python_multipart",)
"""Libraries that log a line for each malformed request, so any client could fill the log. Their errors are logged."""


def configure(level: str) -> None:
    """Log to standard error, from `level` on (`debug`, `info`, `warning`, `error`)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.ERROR)


class _Line(logging.Formatter):
    """Formats time, level, logger, message, and the fields of `extra`. A traceback follows on the next lines.

    An `Unreachable` is a field `cause` instead of a traceback: an outage logs many, and the traceback adds nothing.
    """

    def format(self, record: logging.LogRecord) -> str:
        cause = record.exc_info[1] if record.exc_info else None
        if isinstance(cause, Unreachable):
            record = copy.copy(record)  # other handlers keep the traceback
            record.exc_info = record.exc_text = None
            record.cause = cause
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the library's name)
        # Model servers and clients send some of the text: it must not reach a terminal as control sequences.
        return escape_control(super().formatException(ei), keep="\n")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        fields = ((name, value) for name, value in vars(record).items() if name not in _NO_FIELDS and value is not None)
        parts = [self.formatTime(record), record.levelname, record.name, escape_control(record.message)]
        return " ".join([*parts, *(f"{name}={_value(value)}" for name, value in fields)])


_NO_FIELDS = {*vars(logging.makeLogRecord({})), "asctime", "color_message", "message", "taskName"}
"""Attributes of every record, which are not fields."""


def _value(value: object) -> str:
    """The value as text, in quotes if it contains spaces, quotes, `=` or control characters, or is empty."""
    text = str(value)
    plain = text.isprintable() and text and not set(text) & set(' "=')
    return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())
