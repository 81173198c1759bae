"""`python -m benchmarks [--quick] [section …]`"""

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter, perf_counter_ns

import uvloop
from rich.console import Console

from benchmarks.plan import Plan, quick
from benchmarks.report import show, show_goals
from benchmarks.sections import (
    backlog,
    burst,
    clients,
    cluster,
    costs,
    documents,
    embeddings,
    ingestion,
    listeners,
    quality,
    runs,
    search,
    starts,
    streams,
    takeover,
    threads,
    waiting,
)

SECTIONS = {
    "runs": runs.measure,
    "streams": streams.measure,
    "waiting": waiting.measure,
    "threads": threads.measure,
    "documents": documents.measure,
    "starts": starts.measure,
    "clients": clients.measure,
    "cluster": cluster.measure,
    "costs": costs.measure,
    "takeover": takeover.measure,
    "listeners": listeners.measure,
    "backlog": backlog.measure,
    "burst": burst.measure,
    "embeddings": embeddings.measure,
    "search": search.measure,
    "ingestion": ingestion.measure,
    "quality": quality.measure,
}
FSYNCS = 100


def main() -> None:
    asked = arguments()
    console = Console(width=None if sys.stdout.isatty() else 140)
    # Not the system's temporary folder, which may be in memory, where fsync costs nothing.
    with tempfile.TemporaryDirectory(prefix="runstead-bench-", dir=asked.disk) as folder:
        disk = Path(folder)
        console.print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors, fsync {fsync_ms(disk):.2f} ms")
        console.print(f"Load before the start: {os.getloadavg()[0]:.1f}. Above 0.5, expect worse figures.\n")
        started = perf_counter()
        plan = quick(disk) if asked.quick else Plan(disk)
        if asked.million:
            plan = replace(plan, chunks=(*plan.chunks, 1_000_000))
        findings = [uvloop.run(SECTIONS[name](plan)) for name in asked.sections or SECTIONS]
        for found in findings:
            show(console, found)
        show_goals(console, [goal for found in findings for goal in found.goals])
        console.print(f"\n{perf_counter() - started:.0f} s")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure Runstead on this machine, as ratios."
    )
    parser.add_argument(
        "sections", nargs="*", metavar="section", help=f"any of {', '.join(SECTIONS)}; all when none is named"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds and fewer runs, in about four minutes")
    parser.add_argument("--million", action="store_true", help="also search in 1,000,000 chunks, which takes minutes")
    parser.add_argument("--disk", default="/var/tmp", help="a folder on a real disk (default: %(default)s)")
    asked = parser.parse_args()
    if unknown := set(asked.sections) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    return asked


def fsync_ms(disk: Path) -> float:
    """Milliseconds for one small durable write, the median."""
    times = []
    with (disk / "fsync").open("wb", buffering=0) as file:
        for _ in range(FSYNCS):
            file.write(bytes(4096))
            started = perf_counter_ns()
            os.fdatasync(file.fileno())
            times.append(perf_counter_ns() - started)
    return sorted(times)[FSYNCS // 2] / 1e6


if __name__ == "__main__":
    main()
