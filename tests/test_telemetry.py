"""Logging: one line for each record, with its fields."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from runstead import telemetry
from runstead.wire.error import Unreachable

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The log from here on. The previous handlers and levels are restored at the end."""
    root = logging.getLogger()
    names = ("", "aiohttp", "asyncio", "python_multipart", "uvicorn")
    levels = {name: logging.getLogger(name).level for name in names}
    handlers = root.handlers[:]
    text = io.StringIO()
    monkeypatch.setattr(sys, "stderr", text)
    telemetry.configure("info")
    yield text
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def last(log: io.StringIO) -> str:
    """The last line, without its time."""
    time, line = log.getvalue().splitlines()[-1][:23], log.getvalue().splitlines()[-1][24:]
    assert time[4] + time[10] + time[19] == "- ,"
    return line


def test_a_line_has_time_level_logger_and_message(log: io.StringIO) -> None:
    logging.getLogger("runstead.run").warning("it rains in %s", "Oslo")
    assert last(log) == "WARNING runstead.run it rains in Oslo"


def test_extra_values_are_shown_as_fields(log: io.StringIO) -> None:
    fields = {"run": "run_1", "status": 429, "wait": 0.5, "upstream": None}
    logging.getLogger("runstead.llm").info("again", extra=fields)
    assert last(log) == "INFO runstead.llm again run=run_1 status=429 wait=0.5"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("two words", '"two words"'),
        ("", '""'),
        ("a=b", '"a=b"'),
        ('a"b', r'"a\"b"'),
        ("Ærø", "Ærø"),
        ("Ærø Å", '"Ærø Å"'),
        ("a\nb\x1b[0m", r'"a\nb\u001b[0m"'),
        (("a", 1), "\"('a', 1)\""),
    ],
)
def test_a_value_is_one_word_or_quoted(log: io.StringIO, value: object, shown: str) -> None:
    logging.getLogger("runstead").info("so", extra={"field": value})
    assert last(log) == f"INFO runstead so field={shown}"


def test_control_characters_in_a_message_are_escaped(log: io.StringIO) -> None:
    logging.getLogger("runstead").info("it says %s", "a\r\nb\x1b[2J\u2028 ø")
    assert last(log) == r"INFO runstead it says a\r\nb\x1b[2J\u2028 ø"
    assert len(log.getvalue().splitlines()) == 1


def test_a_traceback_follows_its_line(log: io.StringIO) -> None:
    try:
        raise ValueError("the cause")
    except ValueError:
        logging.getLogger("runstead").exception("failed", extra={"run": "run_1"})
    lines = log.getvalue().splitlines()
    assert lines[0].endswith("ERROR runstead failed run=run_1")
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: the cause"


def test_an_unreachable_server_is_a_field_instead_of_a_traceback(log: io.StringIO) -> None:
    try:
        raise Unreachable("cannot read it: Connection refused") from OSError()
    except Unreachable:
        logging.getLogger("runstead").exception("looking failed", extra={"run": "run_1"})
    assert last(log) == 'ERROR runstead looking failed run=run_1 cause="cannot read it: Connection refused"'
    assert len(log.getvalue().splitlines()) == 1


def test_info_records_of_libraries_are_not_logged(log: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("asyncio").warning("slow")
    assert last(log) == "WARNING asyncio slow"
    assert len(log.getvalue().splitlines()) == 1


def test_a_malformed_form_is_not_logged(log: io.StringIO) -> None:
    with pytest.raises(FormParserError):
        MultipartParser(b"boundary").write(b"--another\r\n")
    assert log.getvalue() == ""


def test_level_error_hides_warnings_of_libraries_too(log: io.StringIO) -> None:
    telemetry.configure("error")
    logging.getLogger("asyncio").warning("slow")
    logging.getLogger("runstead").warning("slow")
    assert log.getvalue() == ""


def test_control_characters_of_an_exception_are_escaped(log: io.StringIO) -> None:
    try:
        raise ValueError("a\x1b]0;title\x07\x9b31m")
    except ValueError:
        logging.getLogger("runstead.x").exception("failed")
    assert r"ValueError: a\x1b]0;title\x07\x9b31m" in log.getvalue()
    assert "\x1b" not in log.getvalue()
