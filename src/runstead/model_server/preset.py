"""Presets: how requests to well-known model servers differ. A preset is data: the client has no code for a server.

A server is recognised by its URL. Fields that a preset does not have are adjusted when the server refuses them.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

__all__ = ["GENERIC", "PRESETS", "Preset", "preset_of"]


class Preset(Struct, frozen=True, kw_only=True):
    """A kind of model server."""

    url: str | None = None
    """The base URL without a configured one; None if every installation has its own."""
    hosts: tuple[str, ...] = ()
    """Patterns of the `host` or `host:port` of URLs that are recognised as this server."""
    path: str = ""
    """The path of the API, for a URL that has none."""
    versioned_path: str | None = None
    """The same for a URL that has no path but an `api-version`."""
    key_env: str | None = None
    """The environment variable of the key; None for a server that works without one."""
    key_header: str = "Authorization"
    """The header of the key: `Authorization`, as a bearer token, or another one, as it is."""
    lists_models: bool = True
    """Whether `GET /models` lists the names that a request may have."""
    leave_out: tuple[str, ...] = ()
    """Fields that the server refuses."""
    rename: Mapping[str, str] = {}
    """The server's names of fields."""


GENERIC: Final = "generic"

_MAX_COMPLETION_TOKENS = {"max_tokens": "max_completion_tokens"}

PRESETS: Final[Mapping[str, Preset]] = {
    GENERIC: Preset(),
    "openai": Preset(
        url="https://api.openai.com/v1",
        hosts=("api.openai.com", "*.api.openai.com"),
        path="/v1",
        key_env="OPENAI_API_KEY",
        rename=_MAX_COMPLETION_TOKENS,
    ),
    "azure": Preset(
        hosts=("*.openai.azure.com", "*.cognitiveservices.azure.com", "*.services.ai.azure.com"),
        path="/openai/v1",
        versioned_path="/openai/deployments/{model}",
        key_env="AZURE_OPENAI_API_KEY",
        key_header="api-key",
        lists_models=False,  # the list is that of all models, not that of the deployments
        rename=_MAX_COMPLETION_TOKENS,
    ),
    "anthropic": Preset(
        url="https://api.anthropic.com/v1",
        hosts=("api.anthropic.com",),
        path="/v1",
        key_env="ANTHROPIC_API_KEY",
        lists_models=False,  # the list belongs to another API, with another header for the key
    ),
    "gemini": Preset(
        url="https://generativelanguage.googleapis.com/v1beta/openai",
        hosts=("generativelanguage.googleapis.com",),
        path="/v1beta/openai",
        key_env="GEMINI_API_KEY",
    ),
    "mistral": Preset(
        url="https://api.mistral.ai/v1",
        hosts=("api.mistral.ai",),
        path="/v1",
        key_env="MISTRAL_API_KEY",
        leave_out=("stream_options",),  # it counts tokens without being asked
    ),
    "deepseek": Preset(
        url="https://api.deepseek.com",
        hosts=("api.deepseek.com",),
        key_env="DEEPSEEK_API_KEY",
    ),
    "openrouter": Preset(
        url="https://openrouter.ai/api/v1",
        hosts=("openrouter.ai",),
        path="/api/v1",
        key_env="OPENROUTER_API_KEY",
        leave_out=("stream_options",),  # deprecated there: it counts tokens without being asked
    ),
    "groq": Preset(
        url="https://api.groq.com/openai/v1",
        hosts=("api.groq.com",),
        path="/openai/v1",
        key_env="GROQ_API_KEY",
        rename=_MAX_COMPLETION_TOKENS,
    ),
    "ollama": Preset(
        url="http://127.0.0.1:11434/v1",
        hosts=("localhost:11434", "127.0.0.1:11434", "[[]::1]:11434"),
        path="/v1",
    ),
    "vllm": Preset(url="http://127.0.0.1:8000/v1", path="/v1"),
    "llama.cpp": Preset(url="http://127.0.0.1:8080/v1", path="/v1"),
    "lmstudio": Preset(
        url="http://127.0.0.1:1234/v1",
        hosts=("localhost:1234", "127.0.0.1:1234", "[[]::1]:1234"),
        path="/v1",
    ),
}


def preset_of(url: str) -> str:
    """The name of the preset that a URL is recognised as; `generic` if it is none."""
    host = urlsplit(url.strip()).netloc.lower()
    names = (host, host.rpartition(":")[0] or host)
    return next(
        (
            name
            for name, preset in PRESETS.items()
            if any(fnmatchcase(each, pattern) for pattern in preset.hosts for each in names)
        ),
        GENERIC,
    )
