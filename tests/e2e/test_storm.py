"""Every fault is injected once into a cluster under load. `make chaos` is the long form."""

from pathlib import Path

import pytest

from tests.chaos.storm import storm


@pytest.mark.timeout(300)
async def test_no_acknowledged_run_is_lost_duplicated_or_wrong_after_every_fault(tmp_path: Path) -> None:
    report = await storm(tmp_path, seed=20260826, customers=6)
    print(report)
    assert not report.failed, str(report)
    assert len(report.injected) >= 9
    assert len(report.ledger.acknowledged) > 20
