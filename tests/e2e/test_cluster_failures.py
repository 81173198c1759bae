"""A cluster completes its runs while one of its parts fails. `test_chaos` combines all failures."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from runstead import Run, Status, connect
from runstead.client import Client
from tests.cli.conftest import begin
from tests.support.cluster import cluster
from tests.support.nats import NatsCluster, NatsServer
from tests.support.waiting import PATIENCE

SCRIPT = '[[answer]]\nsay = "The end."\n'


def begun(client: Client, number: int) -> list[Run]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: begin(client), range(number)))


def all_complete(client: Client, runs: list[Run]) -> bool:
    return {client.wait(run, timeout=PATIENCE).status for run in runs} == {Status.COMPLETED}


def readiness(url: str) -> tuple[int, object]:
    """The status and the body of `/ready`."""
    response = httpx2.get(f"{url}/ready", timeout=PATIENCE)
    return response.status_code, response.json()


@pytest.fixture
def nats(tmp_path: Path) -> NatsServer:
    return NatsServer(tmp_path / "nats")


def test_queued_runs_complete_after_the_broker_lost_its_disk(tmp_path: Path, nats: NatsServer) -> None:
    nats.start()
    try:
        with cluster(tmp_path, workers=0, script=SCRIPT, nats=nats) as here, connect(here.urls[0]) as client:
            runs = begun(client, 30)
            nats.kill()
            nats.wipe()
            nats.start()
            here.worker().ready()
            assert all_complete(client, runs)
    finally:
        nats.kill()


def test_runs_whose_offer_was_lost_are_found_in_the_store(tmp_path: Path, nats: NatsServer) -> None:
    nats.start()
    try:
        with cluster(tmp_path, script=SCRIPT, nats=nats) as here, connect(here.urls[0]) as client:
            assert readiness(here.urls[0]) == (200, {"status": "ok", "store": "ok", "broker": "ok"})
            nats.kill()
            assert all_complete(client, begun(client, 10))
            assert readiness(here.urls[0]) == (503, {"status": "unavailable", "store": "ok", "broker": "unavailable"})
    finally:
        nats.kill()


def test_a_cluster_without_a_broker_completes_its_runs(tmp_path: Path) -> None:
    with cluster(tmp_path, script=SCRIPT, broker=False) as here, connect(here.urls[0]) as client:
        assert all_complete(client, begun(client, 5))


def test_runs_continue_when_one_of_three_brokers_dies(tmp_path: Path) -> None:
    nats = NatsCluster(tmp_path / "nats")
    nats.start()
    try:
        with (
            cluster(tmp_path, workers=2, script=SCRIPT, nats=nats, broker_replicas="3") as here,
            connect(here.urls[0]) as client,
        ):
            for server in nats.servers.values():
                runs = begun(client, 10)
                server.kill()
                runs += begun(client, 10)
                assert all_complete(client, runs)
                server.start()
    finally:
        nats.kill()
