"""Calls that belong to no project."""

import pytest

from runstead.domain.idempotency import Replay, digest, with_key
from tests.support.callers import entered
from tests.support.worlds import World, world


async def limits_of(here: World, project: str) -> tuple[int | None, ...]:
    limits = await (await entered(here.application)).administration.project_limits(project)
    assert limits.project_id == project
    return limits.max_running, limits.max_queued, limits.max_file_bytes


async def test_a_project_without_limits_has_the_servers() -> None:
    async with world() as here:
        assert await limits_of(here, "p1") == (None, None, None)


async def test_absent_limits_stay_and_none_clears() -> None:
    async with world() as here:
        administration = (await entered(here.application)).administration
        await administration.update_project_limits("p1", max_running=3, max_queued=5, max_file_bytes=7)
        await administration.update_project_limits("p1", max_running=0)
        assert await limits_of(here, "p1") == (0, 5, 7)
        await administration.update_project_limits("p1", max_queued=None, max_file_bytes=0)
        assert await limits_of(here, "p1") == (0, None, 0)
        assert await limits_of(here, "p2") == (None, None, None)


async def test_a_retried_change_is_carried_out_once() -> None:
    async with world() as here:
        administration = (await entered(here.application)).administration
        asked = with_key("k", digest(b"this"))
        await administration.once(asked).update_project_limits("p1", max_running=3)
        await administration.update_project_limits("p1", max_running=4)
        with pytest.raises(Replay):
            await administration.once(asked).update_project_limits("p1", max_running=3)
        assert await limits_of(here, "p1") == (4, None, None)
