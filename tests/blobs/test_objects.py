"""Object stores as a configuration names them: URLs, keys, and errors when they are unreachable."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from runstead import bootstrap
from runstead.blobs.objects import ObjectBlobs
from runstead.config import Config
from runstead.domain.access import Credentials
from runstead.wire.error import Closed, RunsteadError, Unreachable
from runstead.worker.application import Application
from tests.engine.uploads import form
from tests.support.seaweed import ENVIRONMENT, s3_url


async def one(content: bytes = b"x") -> AsyncIterator[bytes]:
    yield content


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("keys")
async def test_a_configured_store_has_the_content_of_files(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text('[[answer]]\nsay = "Hi"\n')
    url = s3_url(tmp_path.name)
    config = Config(data=str(tmp_path / "data"), script=str(script), blobs=url)
    async with bootstrap.application(config) as application:
        project = await _project(application)
        file = await project.create_file(form(b"abc" * 3_000_000))
        content = await project.file_content(file.id)
        assert b"".join([chunk async for chunk in content.read(8_999_998, content.size)]) == b"bc"
    blobs = ObjectBlobs(url)
    await blobs.start()
    assert len([blob async for blob in blobs.names("content_")]) == 1
    assert not list(tmp_path.glob("data/*blobs*"))
    examined = await bootstrap.check(config, print, drained=True)
    assert (examined.files, examined.violations) == (1, 0)


async def _project(application: Application) -> Any:
    return (await application.enter(Credentials())).project


@pytest.mark.usefixtures("keys")
async def test_a_store_that_is_away_is_named_without_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runstead.blobs.objects._RETRY", {"max_retries": 0})
    blobs = ObjectBlobs("s3://blobs/here?endpoint=http://127.0.0.1:1&region=us-east-1")
    with pytest.raises(Closed, match="is not open"):
        await blobs.size("blob-1")
    await blobs.start()
    for use in (blobs.size("blob-1"), blobs.delete("blob-1"), blobs.write("blob-1", one(), limit=1)):
        with pytest.raises(Unreachable, match="cannot use the object store s3://blobs/here") as away:
            await use
        assert "secret" not in str(away.value)
        assert "\n" not in str(away.value)
    assert repr(blobs) == "ObjectBlobs('s3://blobs/here')"


@pytest.mark.parametrize("url", ["ftp://host/x", "http://host/bucket", "file:///tmp"])
def test_other_places_are_refused(url: str) -> None:
    with pytest.raises(RunsteadError, match="is no object store. Known are: abfs, "):
        ObjectBlobs(url)


async def test_an_unknown_option_is_refused_at_the_start() -> None:
    with pytest.raises(RunsteadError, match="cannot use the object store s3://blobs"):
        await ObjectBlobs("s3://blobs?no_such_option=1").start()
