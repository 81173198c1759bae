"""`make chaos`: inject faults into a real cluster that is in use, then check its data.

A seed gives the same faults in the same order, as far as the machine's timing allows.

    python -m tests.chaos                       # ten minutes, a random seed
    python -m tests.chaos --minutes 60 --seed 7
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from tests.chaos.experiment import run_experiment
from tests.chaos.faults import LONG_FAULTS


def main() -> None:
    """Run an experiment and print its report. The exit code is 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--log", type=Path, help="a file for the log of all processes of the cluster")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, {arguments.minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory(prefix="runstead-chaos-") as folder:
        report = asyncio.run(
            run_experiment(
                Path(folder),
                arguments.seed,
                seconds=arguments.minutes * 60,
                faults=LONG_FAULTS,
                users=arguments.users,
                progress=lambda line: print(line, flush=True),
            )
        )
    if arguments.log is not None:
        arguments.log.write_text(report.log)
    print(report)
    sys.exit(report.failed)


if __name__ == "__main__":
    main()
