"""`make chaos`: injects faults into a real cluster under load. The same seed gives the same faults, up to timing.

python -m tests.chaos                       # ten minutes, a random seed
python -m tests.chaos --minutes 60 --seed 7
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from tests.chaos.faults import LONG_FAULTS
from tests.chaos.storm import storm


def main() -> None:
    """Run a storm, print its report, and exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--customers", type=int, default=8)
    parser.add_argument("--log", type=Path, help="a file for the logs of all processes")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}, {chosen.minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory(prefix="runstead-chaos-") as folder:
        report = asyncio.run(
            storm(
                Path(folder),
                chosen.seed,
                seconds=chosen.minutes * 60,
                faults=LONG_FAULTS,
                customers=chosen.customers,
                tell=lambda line: print(line, flush=True),
            )
        )
    if chosen.log is not None:
        chosen.log.write_text(report.log)
    print(report)
    sys.exit(report.failed)


if __name__ == "__main__":
    main()
