"""The code blocks of a documentation page, with their line numbers."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["NOT_RUN", "ROOT", "Block", "blocks"]

ROOT = Path(__file__).resolve().parents[2]
NOT_RUN = "not-run"
"""Marks a block that nothing checks."""

_FENCE = re.compile(r"^```(\w*) *([\w -]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: its language, the marks after it, and its text."""

    page: str
    line: int
    """The line of the page on which the block's text begins."""
    language: str
    marks: Sequence[str]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> list[Block]:
    """All blocks of a page, named from the root of the repository."""
    text = (ROOT / page).read_text()
    return [
        Block(page, text.count("\n", 0, found.start(3)) + 1, found[1], found[2].split(), found[3])
        for found in _FENCE.finditer(text)
    ]
