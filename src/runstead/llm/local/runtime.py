"""llama.cpp in this process. The only module that imports xllamacpp."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Runtime"]

_BATCH = 128
"""Prompt tokens between two checks for cancellation: well under a second on any machine."""
_CACHE_MIB = 64
"""The limit of the cache for prompts without a slot; its default is several gigabytes."""


class Runtime:
    """A loaded model.

    The constructor blocks until the model is loaded, and for a part of that time it blocks every other thread too.
    Dropping the last reference unloads the model.
    """

    def __init__(self, weights: Path, *, slots: int, window: int) -> None:
        # Importing reads 100 MB of library, which is not needed with a model server.
        import xllamacpp  # noqa: PLC0415 see above

        processors = len(os.sched_getaffinity(0))
        settings = xllamacpp.CommonParams()
        settings.model.path = str(weights)
        settings.n_parallel = slots
        settings.n_ctx = slots * window
        # One processor stays free. The threads wait for each other at every step, so with as many threads as processors
        # any other work on the machine makes the model several times slower.
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = max(1, processors - 1)
        settings.n_batch = _BATCH
        # With `fit_params` the model would be loaded a second time, to measure what fits.
        settings.fit_params = False
        settings.cache_ram_mib = _CACHE_MIB
        settings.use_jinja = True
        settings.warmup = False
        settings.verbosity = -1
        # The library always opens a port on the loopback device. A random key closes it to other programs.
        settings.ui = False
        settings.api_keys = [secrets.token_hex(16)]
        self._server = xllamacpp.Server(settings)
        # One token warms the model up for the first answer. It also makes sure that the server's own loop has begun: a
        # server that is dropped earlier waits for that loop forever.
        self.chat({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}, lambda _: False)

    def chat(self, body: dict[str, Any], on_event: Callable[[dict[str, Any]], bool]) -> None:
        """Answer a chat completions request. Blocks. `on_event` gets each event and returns whether to stop."""
        options = {
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": True,
            # `on_event` is then also called while the prompt is read.
            "return_progress": True,
        }
        self._server.handle_chat_completions({**body, **options}, on_event)
