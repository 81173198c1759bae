"""The URLs of one model server."""

from urllib.parse import quote, urlsplit, urlunsplit

from yarl import URL

from runstead.llm.openai_chat.preset import Preset

__all__ = ["Endpoints"]

_CHAT = "/chat/completions"
_MODEL = "{model}"


class Endpoints:
    """The endpoints below a base URL.

    The URL may also be that of chat completions. Its query is kept. `{model}` in its path stands for the model's name.
    A URL with no path, or with only the beginning of the preset's, gets the preset's.
    """

    def __init__(self, url: str, preset: Preset) -> None:
        self._parts = urlsplit(url.strip())
        root = self._parts.path.rstrip("/").removesuffix(_CHAT)
        path = preset.path
        if preset.versioned_path is not None and "api-version=" in self._parts.query:
            path = preset.versioned_path
        self._root = root = path if f"{path}/".startswith(f"{root}/") else root
        self._fixed = None if _MODEL in root else self._url(root + _CHAT)
        self._fixed_shown = None if self._fixed is None else _shown(self._fixed)
        self.models = None if _MODEL in root or not preset.lists_models else self._url(f"{root}/models")
        """The URL of the list of models; None if the server's list does not have the names that requests use."""

    def chat(self, model: str) -> URL:
        """Where requests for a model are posted."""
        return self._fixed or self._url(self._root.replace(_MODEL, quote(model, safe="")) + _CHAT, encoded=True)

    def shown(self, model: str) -> str:
        """The same without the query, which may have a secret."""
        return self._fixed_shown or _shown(self.chat(model))

    def _url(self, path: str, *, encoded: bool = False) -> URL:
        return URL(urlunsplit((self._parts.scheme, self._parts.netloc, path, self._parts.query, "")), encoded=encoded)


def _shown(url: URL) -> str:
    return str(url.with_query(None))
