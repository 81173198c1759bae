"""docs/errors.md has every code and every status."""

import re
from pathlib import Path

from runstead.wire import error
from runstead.wire.error import ApiError

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "errors.md").read_text()
SAID = [
    "wire/codec/request_errors.py",
    "api/errors.py",
    "api/handlers/request.py",
    "api/host_check.py",
    "api/multipart.py",
    "domain/access.py",
    "domain/ids.py",
    "domain/idempotency.py",
]


def test_every_code_is_explained() -> None:
    source = "".join((ROOT / "src" / "runstead" / name).read_text() for name in SAID)
    codes = set(re.findall(r'code="(\w+)"', source))
    codes |= {"string_below_min_length", "empty_string", "array_below_min_length", "empty_array"}
    codes |= {f"{kind}_{side}_value" for kind in ("integer", "decimal") for side in ("above_max", "below_min")}
    assert len(codes) > 15
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


def test_every_exception_has_its_line() -> None:
    kinds = [kind for kind in vars(error).values() if isinstance(kind, type) and issubclass(kind, ApiError)]
    for kind in kinds:
        if kind is not ApiError:
            assert re.search(rf"\| {kind.status} \| `{kind.__name__}` \| `{kind.type}` \|", PAGE), kind
