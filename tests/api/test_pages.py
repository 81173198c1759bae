import re

import pytest

from tests.api.served import Stage, called

FILES = {
    "/docs": "text/html; charset=utf-8",
    "/docs/docs.css": "text/css; charset=utf-8",
    "/docs/docs.js": "text/javascript; charset=utf-8",
    "/docs/schema.js": "text/javascript; charset=utf-8",
}


@pytest.mark.parametrize(("path", "kind"), FILES.items())
async def test_a_page_has_a_strict_content_security_policy(path: str, kind: str) -> None:
    async with called(Stage()) as client:
        response = await client.get(f"http://127.0.0.1{path}")
    assert (response.status_code, response.headers["content-type"]) == (200, kind)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_the_docs_page_loads_nothing_from_other_servers() -> None:
    async with called(Stage()) as client:
        texts = {path: (await client.get(f"http://127.0.0.1{path}")).text for path in FILES}
    for path, text in texts.items():
        assert not re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text), path
        assert "innerHTML" not in text
        assert not re.findall(r"\son\w+=|<style|style=", text), path
    linked = re.findall(r'(?:src|href)="(/[^"]+)"', texts["/docs"])
    assert {path for path in linked if path.startswith("/docs")} == {"/docs/docs.css", "/docs/docs.js"}


async def test_the_root_redirects_to_the_docs() -> None:
    async with called(Stage()) as client:
        response = await client.get("http://127.0.0.1/")
    assert (response.status_code, response.headers["location"]) == (307, "/docs")
