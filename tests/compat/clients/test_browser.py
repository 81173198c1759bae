"""The official client in a web page, by a real browser: pages of an allowed origin may call the server, others not."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import quote

import pytest

from runstead.api.app import Settings
from tests.compat.clients.programs import HERE, fetched
from tests.compat.conftest import Server, Start
from tests.compat.script import Script

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


class Pages(SimpleHTTPRequestHandler):
    """Serves the page and the client's modules, and puts what the page posts into a queue."""

    def __init__(self, *arguments: Any, client: Path, posted: "Queue[dict[str, Any]]") -> None:
        self._client = client
        self._posted = posted
        super().__init__(*arguments)

    def translate_path(self, path: str) -> str:
        name = path.partition("?")[0]
        if name.startswith("/openai/"):
            return str(self._client / "node_modules" / name[1:])
        return str(HERE / "browser" / name[1:])

    def do_POST(self) -> None:
        self._posted.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Nothing: the browser asks for every module."""


@contextmanager
def browsing(url: str, profile: Path) -> Iterator[None]:
    """A browser that shows a page."""
    browser = subprocess.Popen(
        ["chromium", *FLAGS, f"--user-data-dir={profile}", url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        browser.terminate()
        browser.wait(10)


@pytest.fixture
def pages(clients: Path) -> Iterator[tuple[int, "Queue[dict[str, Any]]"]]:
    """The port of a server of pages, and what they post."""
    client = fetched(clients / "node", "chromium")
    posted: Queue[dict[str, Any]] = Queue()
    serve = partial(Pages, client=client, posted=posted)
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port, posted
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (
            "app.localhost",
            {"requestId": True, "text": "Hello there!", "status": "completed", "missing": 404, "deleted": True},
        ),
        ("other.localhost", {"failed": "APIConnectionError"}),
    ],
)
def test_the_client_in_a_web_page(
    http: Server,
    start: Start,
    model: Script,
    pages: tuple[int, "Queue[dict[str, Any]]"],
    tmp_path: Path,
    host: str,
    expected: Any,
) -> None:
    port, posted = pages
    model.says("Hello", " there!")
    settings = Settings(allowed_origins=(f"http://app.localhost:{port}",))
    with (
        http.serving(start, settings) as url,
        browsing(f"http://{host}:{port}/page.html?url={quote(url)}", tmp_path / "profile"),
    ):
        assert posted.get(timeout=40) == expected
