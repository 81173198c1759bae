"""llama.cpp in this process. The only file that knows xllamacpp."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Runtime"]

_BATCH = 128
"""Prompt tokens between two looks at whether the answer is still wanted: well under a second on any machine."""
_CACHE_MIB = 64
"""For prompts that lost their slot; left alone it takes gigabytes."""


class Runtime:
    """A loaded model. Making one blocks until it is loaded, for a part of it every other thread too; dropping the last
    reference unloads it.
    """

    def __init__(self, weights: Path, *, slots: int, window: int) -> None:
        # Half of the import's time is reading 100 MB of library: whoever has a model server does without.
        import xllamacpp  # noqa: PLC0415 see above

        processors = len(os.sched_getaffinity(0))
        settings = xllamacpp.CommonParams()
        settings.model.path = str(weights)
        settings.n_parallel = slots
        settings.n_ctx = slots * window
        # One processor stays free: its threads wait for each other at every step, so with as many threads as processors
        # anyone else's work makes them several times slower.
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = max(1, processors - 1)
        settings.n_batch = _BATCH
        # It would load the model a second time to see what fits.
        settings.fit_params = False
        settings.cache_ram_mib = _CACHE_MIB
        settings.use_jinja = True
        settings.warmup = False
        settings.verbosity = -1
        # It always opens a port on the loopback device; nobody else has the key.
        settings.ui = False
        settings.api_keys = [secrets.token_hex(16)]
        self._server = xllamacpp.Server(settings)
        # One word, so that the first answer finds everything warm; and because a server that is dropped before its own
        # loop has begun waits for that loop for ever.
        self.chat({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}, lambda _: False)

    def chat(self, body: dict[str, Any], take: Callable[[dict[str, Any]], bool]) -> None:
        """Answer a chat completions request, event by event; `take` returns whether to stop. Blocks."""
        options = {
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": True,
            # So that `take` is also asked while the prompt is being read.
            "return_progress": True,
        }
        self._server.handle_chat_completions({**body, **options}, take)
