"""Generate the sync client from the async one, the only one that is written by hand.

python scripts/unasync.py            write every `_sync` folder from the `_async` folder beside it
python scripts/unasync.py --check    write nothing; fail when a `_sync` folder differs from what would be written,
                                     or when no file uses one of the substitutions
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("src/runstead/client/_async",)
HEADER = "# Generated from {source} by scripts/unasync.py. Edit that, then `make sync-client`.\n"

SUBSTITUTIONS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\basync (def|with|for)\b", r"\1"),
        (r"\bawait ", ""),
        (r"\b(_|caller_|reading_)async\b", r"\1sync"),
        (r"\bAsync(?=[A-Z])", ""),
        (r"\b__a(enter|exit|iter|next)__\b", r"__\1__"),
        (r"\ba(close|iter_stream|next|read)\(", r"\1("),
        (r"\baclosing\b", "closing"),
        (r"\bhandle_async_request\b", "handle_request"),
        (r"\bAwaitable\[([^\[\]]*(?:\[[^\[\]]*\])?)\]", r"\1"),
        (r"\basyncio\.sleep\b", "time.sleep"),
        (r"\basyncio\.to_thread\(([\w.]+), ", r"\1("),
        (r"^import asyncio$", "import time"),
    )
]


def main(arguments: list[str]) -> int:
    """Write or check every generated file, and return the process's exit status."""
    used: set[str] = set()
    wanted = {target: text for source in SOURCES for target, text in generated(ROOT / source, used)}
    found = {path for source in SOURCES for path in (ROOT / source).with_name("_sync").rglob("*.py")}
    if "--check" not in arguments:
        write(wanted, found)
        return 0
    return report([*differences(wanted, found), *(unused(used) if wanted else ())])


def generated(source: Path, used: set[str]) -> Iterator[tuple[Path, str]]:
    """The path and the text of every file to generate from a source folder."""
    target = source.with_name("_sync")
    for path in sorted(source.rglob("*.py")):
        header = HEADER.format(source=path.relative_to(ROOT).as_posix())
        text = header + synchronous(path.read_text(), used)
        yield target / path.relative_to(source), formatted(text, target / path.name)


def synchronous(text: str, used: set[str]) -> str:
    """The same code without async. Adds the patterns that matched to `used`."""
    lines = text.splitlines(keepends=True)
    for pattern, replacement in SUBSTITUTIONS:
        for number, line in enumerate(lines):
            lines[number], count = pattern.subn(replacement, line)
            if count:
                used.add(pattern.pattern)
    return "".join(lines)


def formatted(text: str, path: Path) -> str:
    """The text after ruff: lines joined, imports sorted, and loops simplified that were needed only for `async`."""
    name = ["--stdin-filename", str(path)]
    mended = ruff(
        ["check", "--quiet", "--fix-only", "--unsafe-fixes", "--select", "C416,F401,I,SIM117,UP028", *name, "-"], text
    )
    return ruff(["format", *name, "-"], mended)


def ruff(arguments: list[str], text: str) -> str:
    """The output of ruff for the text. Uses the ruff of this Python's environment."""
    command = [str(Path(sys.executable).with_name("ruff")), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout  # noqa: S603 (our own arguments)


def write(wanted: dict[Path, str], found: set[Path]) -> None:
    """Write the wanted files to the `_sync` folders, and delete all others."""
    for path in found - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def differences(wanted: dict[Path, str], found: set[Path]) -> Iterator[str]:
    """One error for each file that differs from what would be written."""
    for path in sorted(found - wanted.keys()):
        yield f"{path.relative_to(ROOT)}: has no source"
    for path, text in wanted.items():
        if path not in found or path.read_text() != text:
            yield f"{path.relative_to(ROOT)}: differs from its source; run `make sync-client`"


def unused(used: set[str]) -> Iterator[str]:
    """One error for each substitution that no file uses."""
    for pattern, _ in SUBSTITUTIONS:
        if pattern.pattern not in used:
            yield f"scripts/unasync.py: no file uses the substitution {pattern.pattern!r}"


def report(errors: list[str]) -> int:
    """Print the errors, and return the exit status: 1 if there are any."""
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
