"""The results of a section: tables of figures, and goals that are met or not."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

WIDTH = 100


@dataclass(frozen=True)
class Goal:
    """A goal, the measured value, and whether it is met."""

    promise: str
    value: str
    met: bool


@dataclass
class Findings:
    """The figures of one section."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    note: str = ""

    def row(self, *cells: str | float) -> None:
        self.rows.append(tuple(cell if isinstance(cell, str) else number(cell) for cell in cells))

    def at_most(self, promise: str, value: float, limit: float, unit: str = "") -> None:
        self.goals.append(Goal(promise, f"{number(value)}{unit}", value <= limit))

    def at_least(self, promise: str, value: float, limit: float, unit: str = "") -> None:
        self.goals.append(Goal(promise, f"{number(value)}{unit}", value >= limit))


def number(value: float) -> str:
    """Three significant digits: 0.0123, 1.23, 12.3, 1,234."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def show(console: Console, findings: Findings) -> None:
    table = Table(title=findings.title, title_justify="left", min_width=WIDTH)
    for index, column in enumerate(findings.columns):
        table.add_column(column, justify="right" if index else "left")
    for row in findings.rows:
        table.add_row(*row)
    console.print(table)
    console.print(f"{findings.note}\n")


def show_goals(console: Console, goals: list[Goal]) -> None:
    table = Table("goal", "measured", "met", title="Goals", title_justify="left")
    for goal in goals:
        table.add_row(goal.promise, goal.value, "[green]yes[/]" if goal.met else "[red]no[/]")
    console.print(table)
