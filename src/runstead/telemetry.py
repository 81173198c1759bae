"""The log: one line a happening, its fields as `name=value`, on standard error."""

import copy
import json
import logging
import sys

from runstead.wire.error import Unreachable

__all__ = ["configure"]

_QUIET = ("aiohttp", "asyncio", "uvicorn")
"""Libraries: what they say in passing is no news to an operator."""


def configure(level: str) -> None:
    """Send the log of this program to standard error, from `level` on (`debug`, `info`, `warning`, `error`)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))


class _Line(logging.Formatter):
    """Time, level, part, words, and whatever was given as `extra`. A traceback, if there is one, stands below.

    That a server cannot be reached is a field instead: all that needs it fails, and a traceback says no more.
    """

    def format(self, record: logging.LogRecord) -> str:
        cause = record.exc_info[1] if record.exc_info else None
        if isinstance(cause, Unreachable):
            record = copy.copy(record)  # other handlers may show all of it
            record.exc_info = record.exc_text = None
            record.cause = cause
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        fields = ((name, value) for name, value in vars(record).items() if name not in _NO_FIELDS and value is not None)
        parts = [self.formatTime(record), record.levelname, record.name, _printable(record.message)]
        return " ".join([*parts, *(f"{name}={_value(value)}" for name, value in fields)])


_NO_FIELDS = {*vars(logging.makeLogRecord({})), "asctime", "color_message", "message", "taskName"}
"""What every record has."""


def _value(value: object) -> str:
    """A value in one word, in quotes if it is not one."""
    text = str(value)
    plain = text.isprintable() and text and not set(text) & set(' "=')
    return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())


def _printable(text: str) -> str:
    """The text in one line. Some of it comes from model servers: it must not end the line, nor steer a terminal."""
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
