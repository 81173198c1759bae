"""Descriptions of a function and its parameters from its docstring: Google, NumPy or Sphinx style. No IO."""

import re
from inspect import cleandoc

__all__ = ["parse_docstring"]

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Params):\s*$")
_OTHER = re.compile(r"^(Returns?|Raises?|Yields?|Examples?|Notes?|Attributes|See Also|Warnings?):\s*$")
_UNDERLINE = re.compile(r"^-{3,}\s*$")
_GOOGLE = re.compile(r"^(\s+)\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_NUMPY = re.compile(r"^(\w+)\s*(?::.*)?$")
_SPHINX = re.compile(r"^:param\s+(?:[^:]*\s)?(\w+)\s*:\s*(.*)$")
_FIELD = re.compile(r"^:\w+")


def parse_docstring(docstring: str | None) -> tuple[str, dict[str, str]]:
    """The text before the first section, and the description of each parameter."""
    if not docstring:
        return "", {}
    lines = cleandoc(docstring).splitlines()
    heads = [number for number, line in enumerate(lines) if _ends_summary(lines, number, line)]
    summary = "\n".join(lines[: heads[0]] if heads else lines).strip()
    return summary, _google(lines) | _numpy(lines) | _sphinx(lines)


def _ends_summary(lines: list[str], number: int, line: str) -> bool:
    underlined = number + 1 < len(lines) and bool(_UNDERLINE.match(lines[number + 1]))
    return bool(_SECTION.match(line) or _OTHER.match(line) or _FIELD.match(line)) or (bool(line) and underlined)


def _google(lines: list[str]) -> dict[str, str]:
    """Indented `name (type): text` below `Args:`."""
    found: dict[str, list[str]] = {}
    inside, indent, name = False, "", ""
    for line in lines:
        if line and not line[0].isspace():
            inside, indent, name = bool(_SECTION.match(line)), "", ""
        elif inside:
            entry = _GOOGLE.match(line)
            if entry and (not indent or entry[1] == indent):
                indent, name = entry[1], entry[2]
                found[name] = [entry[3]]
            elif name:
                found[name].append(line.strip())
    return _joined(found)


def _numpy(lines: list[str]) -> dict[str, str]:
    """`name : type`, and indented text, below an underlined `Parameters`."""
    found: dict[str, list[str]] = {}
    inside, name = False, ""
    for line, above in zip(lines, ["", *lines], strict=False):
        if _UNDERLINE.match(line):
            found.pop(name, None)
            inside, name = above.strip() == "Parameters", ""
        elif inside and line and not line[0].isspace():
            entry = _NUMPY.match(line)
            name = entry[1] if entry else ""
            found[name] = []
        elif inside and name:
            found[name].append(line.strip())
    return _joined(found)


def _sphinx(lines: list[str]) -> dict[str, str]:
    """`:param name: text`, continued by indented lines."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        entry = _SPHINX.match(line)
        if entry:
            name = entry[1]
            found[name] = [entry[2]]
        elif name and line[:1].isspace():
            found[name].append(line.strip())
        else:
            name = ""
    return _joined(found)


def _joined(found: dict[str, list[str]]) -> dict[str, str]:
    texts = {name: " ".join(part for part in parts if part).strip() for name, parts in found.items()}
    return {name: text for name, text in texts.items() if name and text}
