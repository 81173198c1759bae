from importlib.metadata import version

from tests.api.served import Stage, called

HEALTH = "http://127.0.0.1/health"


async def test_a_ready_server_is_ok() -> None:
    async with called(Stage()) as client:
        response = await client.get(HEALTH)
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "version": version("runstead"), "draining": False}


async def test_a_draining_server_is_unhealthy() -> None:
    stage = Stage()
    stage.draining.set()
    async with called(stage) as client:
        response = await client.get(HEALTH)
    assert response.status_code == 503
    assert (response.json()["status"], response.json()["draining"]) == ("draining", True)


async def test_a_starting_server_is_unhealthy() -> None:
    stage = Stage()
    stage.ready = False
    async with called(stage) as client:
        response = await client.get(HEALTH)
    assert (response.status_code, response.json()["status"]) == (503, "starting")
