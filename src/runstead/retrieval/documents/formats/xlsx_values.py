"""Numbers of cells as they are shown: dates, times, percentages, and numbers without the noise of binary fractions."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from runstead.retrieval.documents.formats.xml_events import parse_xml
from runstead.retrieval.documents.formats.zip_archive import Archive

__all__ = ["NumberFormats", "read_formats"]

_BUILT_IN = {
    9: "0%",
    10: "0.00%",
    14: "yyyy-mm-dd",  # each language of Excel shows its own order
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss",
}
_MAX_FORMATS = 100_000
_TOKEN = re.compile(
    r'"[^"]*"|\\.|_.|\*.|\[h+\]|\[[^\]]*\]|AM/PM|A/P|y+|m+|d+|h+|s+(?:\.0+)?|.', re.IGNORECASE | re.DOTALL
)
_DATE = re.compile(r"[ymdhs]", re.IGNORECASE)
_NO_DATE = re.compile(r'"[^"]*"|\\.|\[(?!h)[^\]]*\]|General', re.IGNORECASE)
_LAST_DAY = 2_958_465
"""31 December 9999."""


class NumberFormats:
    """The formats of a workbook's cells, by the number of their style."""

    def __init__(self, codes: list[str], *, from_1904: bool) -> None:
        self._codes = [code.partition(";")[0] for code in codes]
        self._dates = [bool(_DATE.search(_NO_DATE.sub("", code))) for code in self._codes]
        # Excel counts 29 February 1900, which did not exist: days before it are off by one there, too.
        self._first_day = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 (of no zone)

    def shown(self, value: str, style: str) -> str:
        """The value as the cell shows it, or as it is if it is no number."""
        try:
            number = float(value)
        except ValueError:
            return value
        index = int(style) if style.isascii() and style.isdecimal() and len(style) < 8 else 0
        code = self._codes[index] if index < len(self._codes) else ""
        if code and self._dates[index] and 0 <= number < _LAST_DAY:
            return _date(number, self._first_day, code)
        if code.rstrip().endswith("%"):
            decimals = len(code.partition(".")[2].rstrip("% "))
            return f"{number * 100:.{min(decimals, 10)}f}%"
        return f"{number:.15g}" if abs(number) < 1e15 else value


def read_formats(archive: Archive, part: str, *, from_1904: bool) -> NumberFormats:
    """The formats in the part with the styles, if there is one."""
    styles = _Styles()
    if (stream := archive.open(part)) is not None:
        parse_xml(stream, styles)
    codes = {**_BUILT_IN, **styles.codes}
    return NumberFormats([codes.get(number, "") for number in styles.cells], from_1904=from_1904)


class _Styles:
    """Collects the formats of numbers, and which one each style of cells has."""

    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.cells: list[int] = []
        self._in_cells = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        number = attributes.get("numFmtId", "")
        value = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0
        if name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells and len(self.cells) < _MAX_FORMATS:
            self.cells.append(value)
        elif name == "numFmt" and len(self.codes) < _MAX_FORMATS:
            self.codes[value] = attributes.get("formatCode", "")[:200]

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cells = False

    def data(self, text: str) -> None: ...


def _date(number: float, first_day: datetime, code: str) -> str:
    moment = first_day + timedelta(seconds=round(number * 86_400))
    tokens = _TOKEN.findall(code)
    half_day = any(token.upper() in {"AM/PM", "A/P"} for token in tokens)
    shown, after_hours = [], False
    for place, token in enumerate(tokens):
        letter = token[0].casefold()
        minutes = letter == "m" and len(token) < 3 and (after_hours or _before_seconds(tokens[place + 1 :]))
        shown.append(_minutes(moment, token) if minutes else _part(moment, token, number, half_day=half_day))
        if letter in "hmsyd" or token.casefold().startswith("[h"):
            after_hours = letter == "h" or token.casefold().startswith("[h")
    return "".join(shown).strip()


def _before_seconds(tokens: list[str]) -> bool:
    return next((token[0].casefold() == "s" for token in tokens if token[0].casefold() in "ymdhs"), False)


def _minutes(moment: datetime, token: str) -> str:
    return f"{moment.minute:0{min(len(token), 2)}d}"


def _part(moment: datetime, token: str, number: float, *, half_day: bool) -> str:
    """One token of a format's code, such as `yyyy`."""
    letter, long = token[0].casefold(), len(token) > 2
    numbers = {
        "y": moment.year if long else moment.year % 100,
        "m": moment.month,
        "d": moment.day,
        "h": (moment.hour - 1) % 12 + 1 if half_day else moment.hour,
        "s": moment.second,
    }
    if letter in "md" and long:
        name = moment.strftime("%B" if letter == "m" else "%A")
        return name if len(token) == 4 else name[:3]
    if letter in numbers:
        return f"{numbers[letter]:0{4 if letter == 'y' and long else min(len(token), 2)}d}"
    if token.casefold().startswith("[h"):
        return str(round(number * 86_400) // 3600)
    if token.upper() in {"AM/PM", "A/P"}:
        return "AM" if moment.hour < 12 else "PM"
    return _literal(token)


def _literal(token: str) -> str:
    """The text of a token that is no part of a date."""
    if token[0] == '"':
        return token.strip('"')
    if token[0] == "[":
        return ""
    if len(token) == 2:
        return token[1] if token[0] == "\\" else " "
    return token
