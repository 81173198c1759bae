from importlib.metadata import version

import pytest

from tests.api.served import Stage, called

HEALTH = "http://127.0.0.1/health"
READY = "http://127.0.0.1/ready"


async def test_a_process_that_answers_is_alive() -> None:
    async with called(Stage()) as client:
        response = await client.get(HEALTH)
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "version": version("runstead"), "draining": False}


async def test_a_draining_server_is_alive_and_not_ready() -> None:
    stage = Stage()
    stage.draining.set()
    async with called(stage) as client:
        alive, ready = await client.get(HEALTH), await client.get(READY)
    assert (alive.status_code, alive.json()["status"], alive.json()["draining"]) == (200, "draining", True)
    assert (ready.status_code, ready.json()["status"]) == (503, "draining")


async def test_a_starting_server_is_alive_and_not_ready() -> None:
    stage = Stage()
    stage.ready = False
    async with called(stage) as client:
        alive, ready = await client.get(HEALTH), await client.get(READY)
    assert (alive.status_code, alive.json()["status"]) == (200, "starting")
    assert (ready.status_code, ready.json()["status"]) == (503, "starting")


async def test_a_server_whose_parts_work_is_ready() -> None:
    async with called(Stage()) as client:
        response = await client.get(READY)
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "store": "ok", "broker": "ok"}


@pytest.mark.parametrize("part", ["store", "broker"])
async def test_a_server_is_not_ready_without_one_of_its_parts(part: str) -> None:
    stage = Stage()
    stage.works[part] = False
    async with called(stage) as client:
        alive, ready = await client.get(HEALTH), await client.get(READY)
    assert alive.status_code == 200
    assert ready.status_code == 503
    assert ready.json() == {"status": "unavailable", "store": "ok", "broker": "ok"} | {part: "unavailable"}
