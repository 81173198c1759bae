import pytest

from runstead.api.routing import Routes


@pytest.fixture
def routes() -> Routes[str]:
    routes: Routes[str] = Routes()
    for method, path in [
        ("GET", "/threads"),
        ("POST", "/threads/runs"),
        ("GET", "/threads/{thread_id}"),
        ("POST", "/threads/{thread_id}"),
        ("GET", "/threads/{thread_id}/runs/{run_id}"),
        ("GET", "/models"),
        ("GET", "/models/{model:path}"),
    ]:
        routes.add(method, path, f"{method} {path}")
    return routes


@pytest.mark.parametrize(
    ("path", "methods", "values"),
    [
        ("/threads", {"GET"}, {}),
        ("/threads/runs", {"POST"}, {}),
        ("/threads/t1", {"GET", "POST"}, {"thread_id": "t1"}),
        ("/threads/t1/runs/r1", {"GET"}, {"thread_id": "t1", "run_id": "r1"}),
        ("/threads/runs/runs/r1", set(), {}),
        ("/models/a/b/c", {"GET"}, {"model": "a/b/c"}),
        ("/models/", set(), {}),
        ("/models", {"GET"}, {}),
        ("/threads/t1/runs", set(), {"thread_id": "t1"}),
        ("/threads/t1/", set(), {"thread_id": "t1"}),
        ("/threads//runs/r1", set(), {}),
        ("", set(), {}),
        ("/", set(), {}),
    ],
)
def test_a_path_has_its_handlers_and_values(
    routes: Routes[str], path: str, methods: set[str], values: dict[str, str]
) -> None:
    handlers, found = routes.find(path)
    assert (set(handlers), found) == (methods, values)
