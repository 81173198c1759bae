"""The URLs of one model server."""

from urllib.parse import quote, urlsplit, urlunsplit

from yarl import URL

from runstead.model_server.preset import Preset

__all__ = ["Endpoints"]

_CHAT = "/chat/completions"
_EMBEDDINGS = "/embeddings"
_MODEL = "{model}"


class Endpoints:
    """The endpoints below a base URL.

    The URL may also be that of chat completions or of embeddings. Its query is kept. `{model}` in its path stands for
    the model's name. A URL with no path, or with only the beginning of the preset's, gets the preset's.
    """

    def __init__(self, url: str, preset: Preset) -> None:
        self._parts = urlsplit(url.strip())
        root = self._parts.path.rstrip("/").removesuffix(_CHAT).removesuffix(_EMBEDDINGS)
        path = preset.path
        if preset.versioned_path is not None and "api-version=" in self._parts.query:
            path = preset.versioned_path
        self._root = root = path if f"{path}/".startswith(f"{root}/") else root
        self._fixed = {} if _MODEL in root else {path: self._url(root + path) for path in (_CHAT, _EMBEDDINGS)}
        self._fixed_shown = {path: _shown(url) for path, url in self._fixed.items()}
        self.models = None if _MODEL in root or not preset.lists_models else self._url(f"{root}/models")
        """The URL of the list of models; None if the server's list does not have the names that requests use."""

    def chat(self, model: str) -> URL:
        """Where chat requests for a model are posted."""
        return self._of_model(model, _CHAT)

    def embeddings(self, model: str) -> URL:
        """Where texts for an embedding model are posted."""
        return self._of_model(model, _EMBEDDINGS)

    def _of_model(self, model: str, path: str) -> URL:
        return self._fixed.get(path) or self._url(
            self._root.replace(_MODEL, quote(model, safe="")) + path, encoded=True
        )

    def shown(self, model: str) -> str:
        """The URL of `chat` without its query, which may have a secret."""
        return self._fixed_shown.get(_CHAT) or _shown(self.chat(model))

    def _url(self, path: str, *, encoded: bool = False) -> URL:
        return URL(urlunsplit((self._parts.scheme, self._parts.netloc, path, self._parts.query, "")), encoded=encoded)


def _shown(url: URL) -> str:
    return str(url.with_query(None))
