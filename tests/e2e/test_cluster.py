"""Real servers and workers, each a process of its own, over one PostgreSQL and one NATS."""

from collections.abc import Iterator

import pytest

from runstead import Status, connect
from tests.cli.conftest import begin
from tests.support.cluster import Cluster, cluster
from tests.support.waiting import PATIENCE

SCRIPT = '[[answer]]\nsay = "The end."\n'


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), apis=2, workers=1, script=SCRIPT) as here:
        yield here


def test_a_run_that_one_server_took_in_is_carried_by_a_worker_and_known_to_the_other(here: Cluster) -> None:
    with connect(here.urls[0]) as first, connect(here.urls[1]) as second:
        assert second.wait(begin(first), timeout=PATIENCE).status is Status.COMPLETED
