"""Documentation of tables in the code: the lifecycle, signals, events and invariants."""

import re
from pathlib import Path

from runstead.domain.invariants import RULES
from runstead.domain.run.lifecycle import Signal, as_mermaid
from runstead.wire.event import EventName
from runstead.wire.run import Status

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_lifecycle_diagram_matches_the_table() -> None:
    assert f"```mermaid\n{as_mermaid()}```" in (DOCS / "lifecycle.md").read_text()


def test_every_signal_and_status_is_documented() -> None:
    page = (DOCS / "lifecycle.md").read_text()
    assert [signal for signal in Signal if f"| {signal} |" not in page] == []
    assert [status for status in Status if f"| `{status}` |" not in page] == []


def test_every_event_is_documented() -> None:
    page = (DOCS / "events.md").read_text()
    assert [name for name in EventName if f"| `{name}` |" not in page] == []


def test_every_invariant_is_documented() -> None:
    page = " ".join((DOCS / "checking.md").read_text().split())
    assert [rule.__name__ for rule in RULES if f"- {' '.join(str(rule.__doc__).split())}" not in page] == []


def test_every_module_that_architecture_names_exists() -> None:
    page = (DOCS.parent / "ARCHITECTURE.md").read_text()
    table = page[page.index("## Where do I look?") :]
    named = re.findall(r"`([\w/]+(?:\.(?:py|sql)|/))(?:: (\w+))?`", table)
    assert len(named) > 60
    source = DOCS.parent / "src" / "runstead"
    assert [path for path, _ in named if not (source / path).exists()] == []
    assert [(path, name) for path, name in named if name and name not in (source / path).read_text()] == []
