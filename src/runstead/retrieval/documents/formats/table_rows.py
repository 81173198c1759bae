"""Rows of tables, nested ones included, while a document is parsed."""

from runstead.retrieval.documents.text_builder import TextBuilder

__all__ = ["TableRows"]


class TableRows:
    """The cells that are open. A table in a cell becomes text of the cell."""

    def __init__(self, out: TextBuilder) -> None:
        self._out = out
        self._rows: list[list[str]] = []
        self._cells: list[list[str]] = []

    @property
    def in_cell(self) -> bool:
        return bool(self._cells)

    def start_row(self) -> None:
        self._rows.append([])

    def start_cell(self) -> None:
        self._cells.append([])

    def write(self, text: str) -> None:
        """Add text to the innermost open cell."""
        self._cells[-1].append(text)

    def end_cell(self) -> None:
        text = " ".join(self._cells.pop()) if self._cells else ""
        if self._rows:
            self._rows[-1].append(text)

    def end_row(self) -> None:
        row = self._rows.pop() if self._rows else []
        if self._cells:
            self._cells[-1].append(" ".join(row))
        else:
            self._out.row(row)
