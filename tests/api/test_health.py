from importlib.metadata import version

from tests.api.served import Stage, called

HEALTH = "http://127.0.0.1/health"


async def test_a_server_that_takes_requests_is_ok() -> None:
    async with called(Stage()) as client:
        response = await client.get(HEALTH)
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "version": version("runstead"), "draining": False}


async def test_a_server_that_is_about_to_stop_gets_no_more_from_a_load_balancer() -> None:
    stage = Stage()
    stage.draining.set()
    async with called(stage) as client:
        response = await client.get(HEALTH)
    assert response.status_code == 503
    assert (response.json()["status"], response.json()["draining"]) == ("draining", True)


async def test_a_server_that_starts_is_not_ok_yet() -> None:
    stage = Stage()
    stage.ready = False
    async with called(stage) as client:
        response = await client.get(HEALTH)
    assert (response.status_code, response.json()["status"]) == (503, "starting")
