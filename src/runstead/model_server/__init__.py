"""The parts of every client of a model server: URL and key, presets, error answers, retries, masked secrets."""
