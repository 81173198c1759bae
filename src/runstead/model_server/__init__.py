"""What every client of a model server needs: its URL and key, presets, error answers, retries, masked secrets."""
