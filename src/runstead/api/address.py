"""The address of a call: one API under the prefixes of several services.

```
/v1/…                            the API
/openai/…                        the same, where clients for Azure OpenAI look for it
/openai/deployments/{name}/…     the same; the name is not read: an assistant and a run have their model
/api/projects/{project}/…        the same, where clients for Azure AI Foundry look for it
```

All but the first may continue with `/v1`. Calls under them need no beta header: these services ask for the query
parameter `api-version` instead, which is accepted with any value and not read.
"""

import re
from typing import NamedTuple

from starlette.types import Scope

__all__ = ["ADDRESS", "PREFIX", "Address", "address_of", "has_api_version"]

PREFIX = "/v1"
ADDRESS = "runstead.address"
"""The key of the ASGI scope that holds the address of a call."""

_OTHER_PREFIXES = re.compile(
    r"/(?:openai(?:/deployments/[^/]+)?|api/projects/(?P<project>[^/]+)(?:/openai)?)(?:/v1)?(?=/)"
)
_API_VERSION = re.compile(rb"(?:^|&)api-version(?:=|&|$)")


class Address(NamedTuple):
    """The address that a path names."""

    path: str
    """The path as the table of endpoints has it, below `/v1`."""
    project: str | None = None
    """The project, if the path names one."""
    needs_beta: bool = True
    """Calls of the original service need the beta header."""


def address_of(path: str) -> Address | None:
    """The address that a request's path names; None for a path outside the API."""
    if path.startswith(PREFIX):
        return Address(path)
    found = _OTHER_PREFIXES.match(path)
    if found is None:
        return None
    return Address(PREFIX + path[found.end() :], found["project"], needs_beta=False)


def has_api_version(scope: Scope) -> bool:
    """Whether the query has an `api-version`, which clients for Azure send with every call."""
    return _API_VERSION.search(scope["query_string"]) is not None
