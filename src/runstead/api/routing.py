"""Routing of paths over a tree of their segments, so that the cost does not grow with the number of routes."""

from typing import Generic, TypeVar

__all__ = ["Routes"]

H = TypeVar("H")


class _Node(Generic[H]):
    """One segment of a path, and what may follow it."""

    __slots__ = ("fixed", "greedy", "methods", "name", "parameter")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node[H]] = {}
        self.parameter: _Node[H] | None = None
        self.name = ""
        self.greedy = False
        self.methods: dict[str, H] = {}


class Routes(Generic[H]):
    """The paths of an API, each with a handler for every method it takes. Fixed segments come before parameters."""

    def __init__(self) -> None:
        self._root = _Node[H]()

    def add(self, method: str, path: str, handler: H) -> None:
        """Add a path such as `/threads/{thread_id}`. `{name:path}` at its end takes slashes too."""
        node = self._root
        for segment in path.split("/")[1:]:
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
                node.name, _, kind = segment[1:-1].partition(":")
                node.greedy = kind == "path"
            else:
                node = node.fixed.setdefault(segment, _Node())
        node.methods[method] = handler

    def find(self, path: str) -> tuple[dict[str, H], dict[str, str]]:
        """The handlers of a path by method, none when there is no such path; and the values of its parameters."""
        node = self._root
        values: dict[str, str] = {}
        segments = path.split("/")
        for place in range(1, len(segments)):
            segment = segments[place]
            child = node.fixed.get(segment)
            if child is None:
                child = node.parameter
                if child is None or not segment:
                    return {}, values
                if child.greedy:
                    values[child.name] = "/".join(segments[place:])
                    return child.methods, values
                values[child.name] = segment
            node = child
        return node.methods, values
