"""Everything that can go wrong goes wrong once, with people using it. `make chaos` is the long form."""

from pathlib import Path

import pytest

from tests.chaos.storm import storm


@pytest.mark.timeout(300)
async def test_nothing_that_was_acknowledged_is_lost_doubled_or_wrong_in_a_storm(tmp_path: Path) -> None:
    report = await storm(tmp_path, seed=20260826, customers=6)
    print(report)
    assert not report.failed, str(report)
    assert len(report.injected) >= 9
    assert len(report.ledger.acknowledged) > 20
