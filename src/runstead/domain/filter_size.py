"""The size of an attribute filter, which decides what a search with it costs."""

from runstead.wire.error import BadRequest
from runstead.wire.filter import AndFilter, Filter, InFilter, NotInFilter, OrFilter

__all__ = ["check_filter"]

MAX_DEPTH = 16
"""Compound filters inside each other, at most."""
MAX_VALUES = 2000
"""Values that all comparisons of a filter have together, at most."""


def check_filter(given: Filter, at: str = "filters") -> None:
    """Raise `BadRequest` if a filter is nested too deeply or has too many values. `at` is its place in the request."""
    values = 0
    level: list[tuple[str, Filter]] = [(at, given)]
    depth = 0
    while level:
        inner: list[tuple[str, Filter]] = []
        for place, each in level:
            if isinstance(each, AndFilter | OrFilter):
                if depth == MAX_DEPTH:
                    raise BadRequest(
                        f"Invalid '{place}': filters may be nested to a depth of {MAX_DEPTH}.",
                        param=place,
                        code="invalid_value",
                    )
                inner += [(f"{place}.filters[{index}]", member) for index, member in enumerate(each.filters)]
            else:
                values += max(1, len(each.value)) if isinstance(each, InFilter | NotInFilter) else 1
        if values + len(inner) > MAX_VALUES:
            raise BadRequest(
                f"Invalid '{at}': a filter may have at most {MAX_VALUES} values.", param=at, code="invalid_value"
            )
        level, depth = inner, depth + 1
