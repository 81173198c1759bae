"""Each fault is injected once into a cluster that is in use. `make chaos` is the long form."""

from pathlib import Path

import pytest

from tests.chaos.experiment import run_experiment


@pytest.mark.timeout(300)
async def test_no_acknowledged_run_is_lost_duplicated_or_wrong_under_faults(tmp_path: Path) -> None:
    report = await run_experiment(tmp_path, seed=20260826, users=6)
    print(report)
    assert not report.failed, str(report)
    assert len(report.injected) >= 9
    assert len(report.history.acknowledged) > 20
